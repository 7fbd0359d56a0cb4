//! The document of a request, as far as the twin takes one: a mutation or a query without directives, and without fragments but for
//! those that say what type they are for, in their place.

use apollo_parser::Parser;
use apollo_parser::cst::{self, CstNode as _};
use serde_json::{Map, Number, Value};

use super::failure::Failure;
use super::kind::Kind;

/// How deep a document may be nested, and how many words it may have.
const MOST_DEPTH: usize = 50;
const MOST_TOKENS: usize = 10_000;

/// A mutation or a query.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) mutates: bool,
    pub(super) fields: Vec<Field>,
}

/// A field that is asked for.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name in the answer.
    pub(super) key: String,
    pub(super) name: String,
    /// Its arguments, with the values of the variables in them.
    pub(super) arguments: Map<String, Value>,
    /// The type that it is for, if it stands in a fragment.
    on: Option<String>,
    fields: Vec<Self>,
}

impl Operation {
    /// Reads the operation of this name, or the only one.
    pub(super) fn parse(text: &str, variables: &Map<String, Value>, name: Option<&str>) -> Result<Self, Failure> {
        let tree = Parser::new(text).recursion_limit(MOST_DEPTH).token_limit(MOST_TOKENS).parse();
        if let Some(error) = tree.errors().next() {
            return Err(Failure::of_document(format!("Parse error: {}", error.message())));
        }
        let operations: Vec<cst::OperationDefinition> = tree
            .document()
            .definitions()
            .map(|definition| match definition {
                cst::Definition::OperationDefinition(operation) => Ok(operation),
                _ => Err(unknown("definitions other than operations")),
            })
            .collect::<Result<_, _>>()?;
        let named = |operation: &cst::OperationDefinition| operation.name().map(|name| name.text().to_string());
        let operation = match (name, &operations[..]) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(name), all) => all.iter().find(|operation| named(operation).as_deref() == Some(name)),
        };
        let operation = operation.ok_or_else(|| Failure::of_document("An operation name is required"))?;
        let kind = operation.operation_type();
        if kind.as_ref().is_some_and(|kind| kind.subscription_token().is_some()) {
            return Err(unknown("subscriptions"));
        }
        let mutates = kind.is_some_and(|kind| kind.mutation_token().is_some());
        Ok(Self { mutates, fields: fields(operation.selection_set(), variables)? })
    }
}

impl Field {
    /// The field below it that has this name, if it is asked for once.
    pub(super) fn below(&self, name: &str) -> Option<&Self> {
        let mut named = self.fields.iter().filter(|field| field.name == name);
        named.next().filter(|_| named.next().is_none())
    }

    /// Whether a field of this name is asked for below it, however often.
    pub(super) fn asks_for(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// Whether it is asked for of this type.
    fn is_for(&self, kind: &Kind) -> bool {
        self.on.as_deref().is_none_or(|on| on == kind.name)
    }

    /// The same without the fields that are asked for of other types than this one, as far as its own fields go.
    pub(super) fn narrowed(self, kind: &Kind) -> Self {
        let fields = self.fields.into_iter().filter(|field| field.is_for(kind)).collect();
        Self { fields, ..self }
    }

    /// Refuses a field that its type does not have.
    pub(super) fn check(&self, kind: &Kind) -> Result<(), Failure> {
        if self.fields.is_empty() {
            let words = format!("Field must have selections (field '{}' returns {})", self.name, kind.name);
            return Err(Failure::of_document(words));
        }
        for field in &self.fields {
            // GitHub refuses a fragment for a type that can never be there; the twin leaves it out as any other.
            if !field.is_for(kind) {
                continue;
            }
            match kind.fields.iter().find(|(name, _)| *name == field.name) {
                Some((_, Some(below))) => field.check(below)?,
                Some((_, None)) if field.fields.is_empty() => {}
                Some((name, None)) => {
                    return Err(Failure::of_document(format!("Selections can't be made on scalars (field '{name}')")));
                }
                None => {
                    let words = format!("Field '{}' doesn't exist on type '{}'", field.name, kind.name);
                    return Err(Failure::of_document(words));
                }
            }
        }
        Ok(())
    }

    /// The part of a value that is asked for.
    pub(super) fn select(&self, value: &Value) -> Value {
        match value {
            Value::Array(values) => values.iter().map(|value| self.select(value)).collect(),
            Value::Object(members) if !self.fields.is_empty() => {
                let member = |field: &Self| members.get(&field.name).map_or(Value::Null, |value| field.select(value));
                Value::Object(self.fields.iter().map(|field| (field.key.clone(), member(field))).collect())
            }
            other => other.clone(),
        }
    }
}

fn fields(selections: Option<cst::SelectionSet>, variables: &Map<String, Value>) -> Result<Vec<Field>, Failure> {
    let selections = selections.into_iter().flat_map(|set| set.selections());
    let mut fields = Vec::new();
    for selection in selections {
        match selection {
            cst::Selection::Field(field) if field.directives().is_none() => fields.push(read(&field, variables)?),
            cst::Selection::InlineFragment(fragment) if fragment.directives().is_none() => {
                fields.extend(of_fragment(&fragment, variables)?);
            }
            cst::Selection::Field(_) | cst::Selection::InlineFragment(_) => return Err(unknown("directives")),
            cst::Selection::FragmentSpread(_) => return Err(unknown("named fragments")),
        }
    }
    Ok(fields)
}

/// The fields of a fragment that says its type. One inside of it would have to agree with it.
fn of_fragment(fragment: &cst::InlineFragment, variables: &Map<String, Value>) -> Result<Vec<Field>, Failure> {
    let on = fragment.type_condition().and_then(|condition| condition.named_type());
    let on = on.ok_or_else(|| unknown("fragments without a type"))?;
    let mut fields = self::fields(fragment.selection_set(), variables)?;
    for field in &mut fields {
        if field.on.replace(text(on.name())).is_some() {
            return Err(unknown("fragments inside of fragments"));
        }
    }
    Ok(fields)
}

fn read(field: &cst::Field, variables: &Map<String, Value>) -> Result<Field, Failure> {
    let name = text(field.name());
    let alias = field.alias().and_then(|alias| alias.name());
    let given = field.arguments().into_iter().flat_map(|arguments| arguments.arguments());
    let arguments = given
        .map(|argument| Ok((text(argument.name()), value(argument.value(), variables)?)))
        .collect::<Result<Map<_, _>, Failure>>()?;
    let key = alias.map_or_else(|| name.clone(), |alias| alias.text().to_string());
    Ok(Field { key, name, arguments, on: None, fields: fields(field.selection_set(), variables)? })
}

/// A value as JSON. A variable that is not given is null.
fn value(given: Option<cst::Value>, variables: &Map<String, Value>) -> Result<Value, Failure> {
    Ok(match given {
        Some(cst::Value::Variable(variable)) => variables.get(&text(variable.name())).cloned().unwrap_or_default(),
        Some(cst::Value::StringValue(string)) => Value::String(String::from(&string)),
        Some(cst::Value::BooleanValue(flag)) => Value::Bool(flag.true_token().is_some()),
        Some(cst::Value::IntValue(number)) => {
            number.syntax().text().to_string().trim().parse::<Number>().map_or(Value::Null, Value::Number)
        }
        Some(cst::Value::EnumValue(word)) => Value::String(text(word.name())),
        Some(cst::Value::ListValue(list)) => {
            list.values().map(|item| value(Some(item), variables)).collect::<Result<_, _>>()?
        }
        Some(cst::Value::ObjectValue(object)) => {
            let member = |member: cst::ObjectField| Ok((text(member.name()), value(member.value(), variables)?));
            Value::Object(object.object_fields().map(member).collect::<Result<_, Failure>>()?)
        }
        Some(cst::Value::NullValue(_)) | None => Value::Null,
        Some(cst::Value::FloatValue(_)) => return Err(unknown("floating-point numbers")),
    })
}

fn text(name: Option<cst::Name>) -> String {
    name.map(|name| name.text().to_string()).unwrap_or_default()
}

fn unknown(what: &str) -> Failure {
    Failure::of_document(format!("The twin knows no {what}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(text: &str) -> Result<Operation, Failure> {
        let variables = json!({"v": {"a": 1}});
        Operation::parse(text, variables.as_object().expect("an object"), None)
    }

    #[test]
    fn a_mutation_is_read_with_aliases_variables_and_literals() {
        let text = r#"mutation M($v: X!) { one: f(input: $v) { a b { c } } g(input: {s: "x\n", l: [1, true, null, E]}) { d } }"#;
        let read = parse(text).expect("a mutation");
        let [one, two] = &read.fields[..] else { panic!("{read:?}") };
        assert_eq!((one.key.as_str(), one.name.as_str(), &one.arguments["input"]), ("one", "f", &json!({"a": 1})));
        assert_eq!((two.key.as_str(), two.name.as_str()), ("g", "g"));
        assert_eq!(two.arguments["input"], json!({"s": "x\n", "l": [1, true, null, "E"]}));
        let value = json!({"a": 1, "b": [{"c": 2, "x": 3}], "y": 4});
        assert_eq!(one.select(&value), json!({"a": 1, "b": [{"c": 2}]}));
    }

    #[test]
    fn what_the_twin_does_not_know_is_refused() {
        for text in [
            "",
            "mutation {",
            "subscription { viewer { login } }",
            "mutation { f { ...x } }",
            "mutation { f { ... { a } } }",
            "mutation { f { ... on T { ... on T { a } } } }",
            "mutation { f @skip(if: true) { a } }",
            "mutation A { f { a } } mutation B { f { a } }",
            "fragment x on T { a }",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
