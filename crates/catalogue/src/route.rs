//! Finds the operation that a concrete request means: a method and a path match a template.

use crate::{Method, Operation, operations};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The tree of all templates, built at the first use.
static ROUTES: LazyLock<Routes> = LazyLock::new(Routes::new);

/// The operation that a request to `path` means, if any.
///
/// `path` is the path as sent: percent-encoded segments, with or without a query. A literal segment wins over a parameter
/// (`/api/v1/monitor/search` is no monitor). A parameter takes one segment that is not empty. Of operations that share a path, the one whose fixed
/// query (`?type=databasequery`) is in the request's query is meant; one without a fixed query takes every query.
/// Hosts are not looked at: no two operations differ by host alone.
#[must_use]
pub fn route(method: Method, path: &str) -> Option<&'static Operation> {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let segments: Vec<Cow<'_, str>> = path.strip_prefix('/')?.split('/').map(decode).collect();
    ROUTES.root.find(&segments, method, query)
}

#[derive(Default)]
struct Routes {
    root: Node,
}

/// One segment's place in the tree.
#[derive(Default)]
struct Node {
    literals: HashMap<&'static str, Node>,
    parameter: Option<Box<Node>>,
    here: Vec<&'static Operation>,
}

impl Routes {
    fn new() -> Self {
        let mut routes = Self::default();
        for operation in operations() {
            let mut node = &mut routes.root;
            for segment in operation.path_only().trim_start_matches('/').split('/') {
                node = if segment.starts_with('{') {
                    node.parameter.get_or_insert_default()
                } else {
                    node.literals.entry(segment).or_default()
                };
            }
            node.here.push(operation);
        }
        routes
    }
}

impl Node {
    /// Depth first, literals before the parameter; the depth is that of the deepest template, not of the request.
    fn find(&self, segments: &[Cow<'_, str>], method: Method, query: Option<&str>) -> Option<&'static Operation> {
        let Some((segment, rest)) = segments.split_first() else {
            return self.choose(method, query);
        };
        if let Some(found) = self.literals.get(segment.as_ref()).and_then(|node| node.find(rest, method, query)) {
            return Some(found);
        }
        let parameter = self.parameter.as_ref().filter(|_| !segment.is_empty())?;
        parameter.find(rest, method, query)
    }

    /// Of the operations on this path, the one whose fixed query says most of what the request's query has.
    fn choose(&self, method: Method, query: Option<&str>) -> Option<&'static Operation> {
        let pairs = |operation: &Operation| operation.fixed_query().map_or(0, |fixed| fixed.split('&').count());
        self.here
            .iter()
            .copied()
            .filter(|operation| operation.method == method)
            .filter(|operation| operation.fixed_query().is_none_or(|fixed| holds(query.unwrap_or_default(), fixed)))
            .max_by_key(|operation| pairs(operation))
    }
}

/// Whether every pair of `fixed` is in `query`.
fn holds(query: &str, fixed: &str) -> bool {
    fixed.split('&').all(|pair| query.split('&').any(|given| given == pair))
}

/// Percent-decodes one segment; one whose bytes are no text stays as it is (it can match a parameter only).
fn decode(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = |at: usize| tail.get(at).and_then(|&digit| char::from(digit).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (first, hex(0), hex(1)) {
            bytes.push((high * 16 + low) as u8);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(segment), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The template with every parameter filled in by something that is no literal of the API.
    fn filled(operation: &Operation, value: &str) -> String {
        let segments: Vec<&str> = operation.path.split('/').map(|segment| if segment.starts_with('{') { value } else { segment }).collect();
        segments.join("/")
    }

    fn id(method: Method, path: &str) -> Option<&'static str> {
        route(method, path).map(|operation| operation.id)
    }

    #[test]
    fn every_operation_is_found_by_its_filled_template() {
        for operation in operations() {
            for value in ["zz-9", "%2E%2e", "a%2Fb", "ü", "%FF", "{id}"] {
                let path = filled(operation, value);
                assert_eq!(id(operation.method, &path), Some(operation.id), "{} {path}", operation.method);
            }
        }
    }

    #[test]
    fn a_literal_wins_over_a_parameter() {
        assert_eq!(id(Method::Get, "/api/v1/monitor/search"), Some("v1.SearchMonitors"));
        assert_eq!(id(Method::Get, "/api/v1/monitor/123"), Some("v1.GetMonitor"));
        assert_eq!(id(Method::Get, "/api/v2/incidents/search"), Some("v2.SearchIncidents"));
        // The literal branch leads nowhere here, so the parameter is meant.
        assert_eq!(id(Method::Post, "/api/v1/monitor/search/validate"), Some("v1.ValidateExistingMonitor"));
    }

    #[test]
    fn a_fixed_query_belongs_to_the_path() {
        let path = "/api/v1/logs-analytics/list";
        assert_eq!(id(Method::Post, path), None);
        assert_eq!(id(Method::Post, &format!("{path}?type=logs")), None);
        assert_eq!(id(Method::Post, &format!("{path}?a=1&type=databasequery")), Some("x.ListDatabaseQuerySamples"));
        assert_eq!(id(Method::Get, "/api/v2/metrics?filter[tags]=a"), Some("v2.ListTagConfigurations"));
    }

    #[test]
    fn what_is_no_path_of_the_api_is_not_found() {
        for path in ["", "api/v2/metrics", "/api/v2/metrics/", "/api/v2//metrics", "/api/v1/monitor//", "/nowhere", "/API/V2/metrics"] {
            assert_eq!(id(Method::Get, path), None, "{path}");
        }
        assert_eq!(id(Method::Delete, "/api/v2/metrics"), None);
        assert_eq!(id(Method::Get, "/"), Some("v1.GetIPRanges"));
        assert_eq!(id(Method::Get, &"/x".repeat(100_000)), None);
    }

    proptest! {
        #[test]
        fn no_path_breaks_the_router(path in "[/a-z0-9%{}?&=.\\PC]{0,60}") {
            prop_assert!(route(Method::Get, &path).is_none_or(|operation| operation.method == Method::Get));
        }

        #[test]
        fn what_is_encoded_is_decoded(text in "\\PC{1,20}") {
            let encoded = text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
            prop_assert_eq!(decode(&encoded), text.as_str());
        }

        /// Whatever a parameter holds, a request to a filled template never reaches another template's literal by accident of decoding.
        #[test]
        fn an_encoded_slash_stays_within_its_segment(at in 0..operations().len(), text in "[a-z]{1,6}/[a-z]{1,6}") {
            let operation = operations()[at];
            let encoded = text.replace('/', "%2F");
            prop_assert_eq!(id(operation.method, &filled(&operation, &encoded)), Some(operation.id));
        }
    }
}
