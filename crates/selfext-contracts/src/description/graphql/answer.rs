//! The shape of an answer, by what was asked for.

use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet, Type};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::{Map, Value};
use url::Url;

/// What an answer is checked by.
pub(super) struct Answer<'a> {
    pub(super) schema: &'a Schema,
    pub(super) document: &'a ExecutableDocument,
    pub(super) operation: &'a Operation,
}

/// A field that was asked for, and whether it must be there whatever the value's type turns out to be.
type Asked<'a> = (&'a Field, bool);

impl Answer<'_> {
    pub(super) fn check(&self, answer: &Value, wrong: &mut Vec<String>) {
        let Value::Object(members) = answer else {
            wrong.push("the answer is no object".to_owned());
            return;
        };
        for name in members.keys().filter(|name| !["data", "errors", "extensions"].contains(&name.as_str())) {
            wrong.push(format!("the answer's `{name}` is not described"));
        }
        let errors = match members.get("errors") {
            None => &[][..],
            Some(Value::Array(errors)) if !errors.is_empty() => errors.as_slice(),
            Some(_) => {
                wrong.push("the answer's `errors` is no list of errors".to_owned());
                &[]
            }
        };
        for error in errors {
            check_error(error, wrong);
        }
        match members.get("data") {
            Some(Value::Object(data)) => {
                self.object(&self.operation.selection_set, data, "data", wrong);
                self.check_nulls(data, errors, wrong);
            }
            None | Some(Value::Null) if !errors.is_empty() => {}
            _ => wrong.push("the answer has neither data nor errors".to_owned()),
        }
    }

    /// A root field that came to nothing must be named by an error.
    fn check_nulls(&self, data: &Map<String, Value>, errors: &[Value], wrong: &mut Vec<String>) {
        if !self.operation.is_mutation() {
            return;
        }
        for (key, _) in data.iter().filter(|(_, value)| value.is_null()) {
            if !errors.iter().any(|error| error["path"][0] == **key) {
                wrong.push(format!("data.{key} is null, and no error says why"));
            }
        }
    }

    fn object(&self, asked: &SelectionSet, found: &Map<String, Value>, at: &str, wrong: &mut Vec<String>) {
        let mut fields = Vec::new();
        self.collect(asked, true, &mut fields);
        for (field, certain) in &fields {
            let key = field.response_key().as_str();
            match found.get(key) {
                Some(value) => self.value(field, field.ty(), value, &format!("{at}.{key}"), wrong),
                None if *certain => wrong.push(format!("{at}.{key} is missing")),
                None => {}
            }
        }
        for key in found.keys() {
            if !fields.iter().any(|(field, _)| field.response_key().as_str() == key) {
                wrong.push(format!("{at}.{key} was not asked for"));
            }
        }
    }

    fn collect<'a>(&'a self, asked: &'a SelectionSet, certain: bool, fields: &mut Vec<Asked<'a>>) {
        for selection in &asked.selections {
            match selection {
                Selection::Field(field) => fields.push((field, certain && field.directives.is_empty())),
                Selection::InlineFragment(fragment) => {
                    let below = &fragment.selection_set;
                    self.collect(below, certain && fragment.directives.is_empty() && below.ty == asked.ty, fields);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.fragment_name) {
                        let below = &fragment.selection_set;
                        self.collect(below, certain && spread.directives.is_empty() && below.ty == asked.ty, fields);
                    }
                }
            }
        }
    }

    fn value(&self, field: &Field, kind: &Type, found: &Value, at: &str, wrong: &mut Vec<String>) {
        if found.is_null() {
            if kind.is_non_null() {
                wrong.push(format!("{at} is null, and {kind} is never"));
            }
            return;
        }
        let name = match kind {
            Type::List(inner) | Type::NonNullList(inner) => {
                match found {
                    Value::Array(items) => {
                        for (n, item) in items.iter().enumerate() {
                            self.value(field, inner, item, &format!("{at}.{n}"), wrong);
                        }
                    }
                    _ => wrong.push(format!("{at} is no list")),
                }
                return;
            }
            Type::Named(name) | Type::NonNullNamed(name) => name,
        };
        let fits = match self.schema.types.get(name) {
            Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_)) => match found {
                Value::Object(members) => {
                    self.object(&field.selection_set, members, at, wrong);
                    true
                }
                _ => false,
            },
            Some(ExtendedType::Enum(kind)) => found.as_str().is_some_and(|word| kind.values.contains_key(word)),
            Some(ExtendedType::Scalar(_)) => is_scalar(name.as_str(), found),
            Some(ExtendedType::InputObject(_)) | None => false,
        };
        if !fits {
            wrong.push(format!("{at} is {found}, which is no {name}"));
        }
    }
}

/// Whether a value is one of a scalar type: those of GraphQL, and those of GitHub's that are used here. Others are texts.
fn is_scalar(name: &str, found: &Value) -> bool {
    match name {
        "Int" => found.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "BigInt" => found.is_i64() || found.is_string(),
        "Float" => found.is_number(),
        "Boolean" => found.is_boolean(),
        "GitObjectID" => {
            found.as_str().is_some_and(|id| id.len() == 40 && id.bytes().all(|digit| digit.is_ascii_hexdigit()))
        }
        "URI" => found.as_str().is_some_and(|text| Url::parse(text).is_ok() || text.starts_with('/')),
        _ => found.is_string(),
    }
}

fn check_error(error: &Value, wrong: &mut Vec<String>) {
    let Value::Object(members) = error else {
        wrong.push(format!("the error {error} is no object"));
        return;
    };
    if !error["message"].is_string() {
        wrong.push(format!("the error {error} has no message"));
    }
    for (name, value) in members {
        let fits = match name.as_str() {
            "message" | "type" => value.is_string(),
            "path" => value.as_array().is_some_and(|path| path.iter().all(|part| part.is_string() || part.is_u64())),
            "locations" => value.as_array().is_some_and(|all| {
                all.iter().all(|place| place["line"].as_u64() > Some(0) && place["column"].as_u64() > Some(0))
            }),
            "extensions" => value.is_object(),
            _ => false,
        };
        if !fits {
            wrong.push(format!("the error's `{name}` is not as described: {value}"));
        }
    }
}
