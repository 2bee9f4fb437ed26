//! The short notation in which `extra.toml` writes a body: `{list*: {limit*: int 1..1000, order: "asc"|"desc"}}` → JSON Schema.
//!
//! It is the notation that the catalogue's outlines are printed in: `*` must be given, `[T]` a list, `{*: T}` a map, `"a"|"b"` allowed texts,
//! `int`, `num`, `str`, `bool`, `any`, a range of numbers after a type, `str:date-time` a text with a format.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

/// Reads one shape.
pub(super) fn parse(text: &str) -> Result<Value> {
    let mut reader = Reader { rest: text };
    let schema = reader.shape().with_context(|| format!("before `{}`", reader.rest.chars().take(40).collect::<String>()))?;
    reader.skip_space();
    ensure!(reader.rest.is_empty(), "something is left over: `{}`", reader.rest);
    Ok(schema)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes `token` when it comes next.
    fn take(&mut self, token: &str) -> bool {
        self.skip_space();
        let found = self.rest.strip_prefix(token);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn expect(&mut self, token: &str) -> Result<()> {
        ensure!(self.take(token), "`{token}` expected");
        Ok(())
    }

    /// Takes characters as long as they belong to a name.
    fn name(&mut self) -> Result<&'a str> {
        self.skip_space();
        let end = self.rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || "_-.".contains(letter)));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        ensure!(!name.is_empty(), "a name expected");
        self.rest = rest;
        Ok(name)
    }

    fn shape(&mut self) -> Result<Value> {
        if self.take("{") {
            return self.object();
        }
        if self.take("[") {
            let items = self.shape()?;
            self.expect("]")?;
            return Ok(json!({"type": "array", "items": items}));
        }
        if self.take("\"") {
            return self.texts();
        }
        let word = self.name()?;
        Ok(match word {
            "any" => json!({}),
            "bool" => json!({"type": "boolean"}),
            "str" if self.take(":") => json!({"type": "string", "format": self.name()?}),
            "str" => json!({"type": "string"}),
            "int" => self.number("integer")?,
            "num" => self.number("number")?,
            other => bail!("`{other}` is no type"),
        })
    }

    fn object(&mut self) -> Result<Value> {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        let mut schema = json!({"type": "object"});
        while !self.take("}") {
            if self.take("*") {
                self.expect(":")?;
                schema["additionalProperties"] = self.shape()?;
            } else {
                let name = self.name()?;
                if self.take("*") {
                    required.push(name);
                }
                self.expect(":")?;
                let twice = properties.insert(name.to_owned(), self.shape()?);
                ensure!(twice.is_none(), "`{name}` stands twice");
            }
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        if !properties.is_empty() {
            schema["properties"] = Value::Object(properties);
        }
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        Ok(schema)
    }

    /// The texts of an enumeration, after the first quote.
    fn texts(&mut self) -> Result<Value> {
        let mut values = Vec::new();
        loop {
            let (value, rest) = self.rest.split_once('"').context("an open quote")?;
            self.rest = rest;
            values.push(value);
            if !self.take("|") {
                return Ok(json!({"type": "string", "enum": values}));
            }
            self.expect("\"")?;
        }
    }

    /// A number's bounds: ` 1..1000`, ` 1..`, ` ..1000`, or none.
    fn number(&mut self, kind: &str) -> Result<Value> {
        let mut schema = json!({"type": kind});
        self.skip_space();
        let end = self.rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.' || letter == '-'));
        let (range, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        let Some((low, high)) = range.split_once("..") else { return Ok(schema) };
        self.rest = rest;
        for (name, bound) in [("minimum", low), ("maximum", high)] {
            if !bound.is_empty() {
                schema[name] = json!(bound.parse::<i64>()?);
            }
        }
        Ok(schema)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn shapes_become_schemas() {
        let schema =
            parse(r#"{a*: {b: int 1..9, c: [str]}, d: "x"|"y-z", *: num ..5, t: str:date-time, "#.to_owned().as_str()).unwrap_err();
        assert!(format!("{schema:#}").contains("name"), "{schema:#}");
        let schema = parse(r#"{a*: {b: int 1..9, c: [str]}, d: "x"|"y-z", *: num ..5, t: str:date-time, e: any, f: bool}"#).unwrap();
        assert_eq!(
            schema,
            json!({"type": "object", "additionalProperties": {"type": "number", "maximum": 5}, "required": ["a"], "properties": {
                "a": {"type": "object", "properties": {
                    "b": {"type": "integer", "minimum": 1, "maximum": 9},
                    "c": {"type": "array", "items": {"type": "string"}}}},
                "d": {"type": "string", "enum": ["x", "y-z"]},
                "t": {"type": "string", "format": "date-time"},
                "e": {},
                "f": {"type": "boolean"}}})
        );
        assert_eq!(parse("{}").unwrap(), json!({"type": "object"}));
    }

    #[test]
    fn what_is_no_shape_is_refused() {
        for text in ["", "{", "{a}", "{a: string}", "[str", "\"a", "{a: str} x", "{a: str, a: int}", "{a: \"x\"|y}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
