//! What the generator knows of one operation, whichever file it came from.

use serde::Deserialize;

/// One line of `operations.jsonl`.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) operation: String,
    pub(super) tag: String,
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) params: Vec<ParamLine>,
    pub(super) body: Option<String>,
    pub(super) body_required: bool,
    /// Set when the body is not plain `application/json`.
    pub(super) body_content: Option<Vec<String>>,
    pub(super) response: Option<ResponseLine>,
    pub(super) kind: String,
    pub(super) unstable: bool,
    pub(super) deprecated: bool,
    pub(super) auth: Vec<String>,
    pub(super) oauth: String,
    pub(super) scopes: Vec<String>,
    pub(super) permission: Option<PermissionLine>,
    pub(super) pagination: Option<PaginationLine>,
    #[serde(default)]
    pub(super) servers: Vec<ServerLine>,
    #[serde(default)]
    pub(super) returns_key_material: bool,
}

/// One parameter, in `operations.jsonl` and in `extra.toml` alike.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ParamLine {
    pub(super) name: String,
    #[serde(rename = "in")]
    pub(super) place: String,
    /// `string`, `string:uuid`, `integer:int64`, `array<string>` …
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) explode: bool,
    #[serde(default, rename = "enum")]
    pub(super) values: Vec<String>,
    pub(super) default: Option<serde_json::Value>,
    pub(super) min: Option<i64>,
    pub(super) max: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ResponseLine {
    #[serde(default)]
    pub(super) content: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PermissionLine {
    /// `AND`, `OR` or `OPEN`.
    pub(super) op: String,
    pub(super) names: Vec<String>,
}

/// `x-pagination` of the specification.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PaginationLine {
    pub(super) limit_param: Option<String>,
    pub(super) results_path: Option<String>,
    pub(super) cursor_param: Option<String>,
    pub(super) cursor_path: Option<String>,
    pub(super) page_offset_param: Option<String>,
    pub(super) page_param: Option<String>,
    #[serde(default)]
    pub(super) page_start: u8,
}

#[derive(Debug, Deserialize)]
pub(super) struct ServerLine {
    pub(super) url: String,
    pub(super) vars: std::collections::BTreeMap<String, VariableLine>,
}

#[derive(Debug, Deserialize)]
pub(super) struct VariableLine {
    pub(super) default: String,
}

/// One operation, ready to be written as Rust.
#[derive(Debug, Clone)]
pub(super) struct Fact {
    pub(super) id: String,
    pub(super) tag: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) params: Vec<ParamLine>,
    pub(super) body: Option<BodyFact>,
    pub(super) answers: Vec<String>,
    pub(super) kind: String,
    pub(super) oauth: String,
    pub(super) auth: AuthFact,
    pub(super) scopes: Vec<String>,
    pub(super) permission: Option<PermissionLine>,
    pub(super) paging: Option<PagingFact>,
    /// Variant name of `Host`.
    pub(super) host: String,
    pub(super) unstable: bool,
    pub(super) deprecated: bool,
    pub(super) official: bool,
    pub(super) returns_secret: bool,
}

#[derive(Debug, Clone)]
pub(super) struct BodyFact {
    pub(super) schema: String,
    pub(super) required: bool,
    pub(super) content: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AuthFact {
    pub(super) api_key: bool,
    pub(super) app_key: bool,
    pub(super) bearer: bool,
}

/// How an answer is paged, as `Paging` of the catalogue has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PagingFact {
    pub(super) limit: Option<String>,
    pub(super) cursor: Option<String>,
    pub(super) cursor_path: Option<String>,
    pub(super) offset: Option<String>,
    pub(super) page: Option<String>,
    pub(super) first_page: u8,
    pub(super) results: Option<String>,
}

impl From<PaginationLine> for PagingFact {
    fn from(line: PaginationLine) -> Self {
        Self {
            limit: line.limit_param,
            cursor: line.cursor_param,
            cursor_path: line.cursor_path,
            offset: line.page_offset_param,
            page: line.page_param,
            first_page: line.page_start,
            results: line.results_path,
        }
    }
}
