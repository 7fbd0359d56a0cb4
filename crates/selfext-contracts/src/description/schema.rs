//! Schemas of `OpenAPI` 3.0, made into JSON Schema.

use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Map, Value, json};

/// Says in JSON Schema's words what `OpenAPI` 3.0 says in its own, everywhere in a document.
pub(super) fn modernise(document: &mut Value) {
    match document {
        Value::Array(values) => values.iter_mut().for_each(modernise),
        Value::Object(object) => {
            object.values_mut().for_each(modernise);
            if object.get("nullable") == Some(&json!(true)) {
                object.remove("nullable");
                allow_null(object);
            }
            // The alternatives of a tagged union overlap; its tag says which of them is meant.
            if object.contains_key("discriminator")
                && let Some(alternatives) = object.remove("oneOf")
            {
                object.insert("anyOf".to_owned(), alternatives);
            }
        }
        _ => {}
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(kind @ Value::String(_)) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
        if let Some(Value::Array(values)) = schema.get_mut("enum")
            && !values.contains(&Value::Null)
        {
            values.push(Value::Null);
        }
    } else {
        let not_null = Value::Object(std::mem::take(schema));
        schema.insert("anyOf".to_owned(), json!([not_null, { "type": "null" }]));
    }
}

/// Compiles the schema at a place of the document. References are resolved in the document alone.
pub(super) fn compile(document: &Value, place: &str) -> Result<Validator, ValidationError<'static>> {
    let mut root = document.pointer(place).cloned().unwrap_or_default();
    if let Value::Object(schema) = &mut root {
        // The references in it begin at the document's root.
        schema.insert("components".to_owned(), document["components"].clone());
    }
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .build(&root)
}

/// Calls `found` with each property of a body that its schema does not name, where the schema names properties at all.
pub(super) fn find_undescribed(schema: &Value, body: &Value, inside: &str, found: &mut impl FnMut(&str)) {
    match body {
        Value::Object(properties) => {
            let Some(described) = schema["properties"].as_object() else {
                return;
            };
            for (name, value) in properties {
                let name_inside = format!("{inside}/{name}");
                match described.get(name) {
                    Some(schema) => find_undescribed(schema, value, &name_inside, found),
                    None if schema.get("additionalProperties").is_none() => found(&name_inside),
                    None => {}
                }
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                let inside = format!("{inside}/{index}");
                find_undescribed(&schema["items"], value, &inside, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::modernise;

    #[test]
    fn nullable_becomes_a_union_with_null() {
        let mut document = json!({
            "plain": { "type": "string", "nullable": true },
            "chosen": { "type": "string", "enum": ["a"], "nullable": true },
            "mixed": { "oneOf": [{ "type": "integer" }], "nullable": true },
            "other": { "type": "string", "nullable": false },
        });
        modernise(&mut document);
        assert_eq!(
            document,
            json!({
                "plain": { "type": ["string", "null"] },
                "chosen": { "type": ["string", "null"], "enum": ["a", null] },
                "mixed": { "anyOf": [{ "oneOf": [{ "type": "integer" }] }, { "type": "null" }] },
                "other": { "type": "string", "nullable": false },
            })
        );
    }
}
