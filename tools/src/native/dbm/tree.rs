//! Explain plans as indented lines: PostgreSQL's JSON format and MySQL's.

use serde_json::{Map, Value};

/// Most nodes shown of one plan.
const NODES: usize = 120;

/// Most characters of a condition.
const CONDITION: usize = 160;

/// The nodes of a plan, two spaces a level; `None` when it is of another format.
pub(super) fn outline(definition: &str) -> Option<Vec<String>> {
    let plan: Value = serde_json::from_str(definition).ok()?;
    let mut tree = Tree { lines: Vec::new(), left_out: 0 };
    let root = plan.as_array().and_then(|list| list.first()).unwrap_or(&plan);
    if let Some(node) = root.get("Plan").filter(|node| node.is_object()).or_else(|| root.get("Node Type").map(|_| root)) {
        tree.postgres(node, 0);
    } else if let Some(block) = root.get("query_block") {
        tree.mysql("query_block", block, 0);
    }
    if tree.left_out > 0 {
        tree.lines.push(format!("({} more nodes left out)", tree.left_out));
    }
    (!tree.lines.is_empty()).then_some(tree.lines)
}

struct Tree {
    lines: Vec<String>,
    left_out: usize,
}

impl Tree {
    fn push(&mut self, depth: usize, line: &str) {
        if self.lines.len() < NODES {
            self.lines.push(format!("{:indent$}{line}", "", indent = depth * 2));
        } else {
            self.left_out += 1;
        }
    }

    /// A node: `Index Scan using orders_pkey on orders cost=8.4 rows=1 cond=(…)`.
    fn postgres(&mut self, node: &Value, depth: usize) {
        let text = |name: &str| node[name].as_str();
        let mut words = Vec::new();
        if let Some(join) = text("Join Type").filter(|join| *join != "Inner") {
            words.push(join.to_owned());
        }
        words.push(text("Node Type").unwrap_or("node").to_owned());
        for (name, word) in
            [("Index Name", "using"), ("Relation Name", "on"), ("CTE Name", "on"), ("Function Name", "on"), ("Subplan Name", "as")]
        {
            if let Some(value) = text(name) {
                words.push(format!("{word} {value}"));
            }
        }
        if let Some(alias) = text("Alias").filter(|alias| text("Relation Name").is_some_and(|relation| relation != *alias)) {
            words.push(alias.to_owned());
        }
        for (name, word) in [
            ("Total Cost", "cost"),
            ("Plan Rows", "rows"),
            ("Actual Total Time", "ms"),
            ("Actual Rows", "actual_rows"),
            ("Actual Loops", "loops"),
            ("Rows Removed by Filter", "removed"),
        ] {
            if let Some(number) = node[name].as_f64() {
                words.push(format!("{word}={number}"));
            }
        }
        for (name, word) in [
            ("Index Cond", "cond"),
            ("Hash Cond", "cond"),
            ("Merge Cond", "cond"),
            ("Join Filter", "filter"),
            ("Recheck Cond", "recheck"),
            ("Filter", "filter"),
        ] {
            if let Some(condition) = text(name) {
                words.push(format!("{word}={}", short(condition)));
            }
        }
        if let Some(keys) = node["Sort Key"].as_array().or_else(|| node["Group Key"].as_array()) {
            let keys: Vec<&str> = keys.iter().filter_map(Value::as_str).collect();
            words.push(format!("key={}", short(&keys.join(", "))));
        }
        self.push(depth, &words.join(" "));
        for child in node["Plans"].as_array().into_iter().flatten() {
            self.postgres(child, depth + 1);
        }
    }

    /// Operations nest as objects, joined tables as a list (`nested_loop`).
    fn mysql(&mut self, name: &str, value: &Value, depth: usize) {
        match value {
            Value::Array(items) => {
                self.push(depth, name);
                for item in items.iter().filter_map(Value::as_object) {
                    self.mysql_children(item, depth + 1);
                }
            }
            Value::Object(object) if name == "table" => {
                self.push(depth, &mysql_table(object));
                self.mysql_children(object, depth + 1);
            }
            Value::Object(object) => {
                let mut words = vec![name.to_owned()];
                if let Some(cost) = object.get("cost_info").and_then(|cost| cost["query_cost"].as_str()) {
                    words.push(format!("cost={cost}"));
                }
                for flag in ["using_filesort", "using_temporary_table"] {
                    if object.get(flag).and_then(Value::as_bool) == Some(true) {
                        words.push(flag.to_owned());
                    }
                }
                self.push(depth, &words.join(" "));
                self.mysql_children(object, depth + 1);
            }
            _ => {}
        }
    }

    fn mysql_children(&mut self, object: &Map<String, Value>, depth: usize) {
        const NODES_OF: [&str; 13] = [
            "query_block",
            "table",
            "nested_loop",
            "ordering_operation",
            "grouping_operation",
            "duplicates_removal",
            "windowing",
            "union_result",
            "query_specifications",
            "materialized_from_subquery",
            "attached_subqueries",
            "optimized_away_subqueries",
            "select_list_subqueries",
        ];
        for (name, value) in object.iter().filter(|(name, _)| NODES_OF.contains(&name.as_str())) {
            self.mysql(name, value, depth);
        }
    }
}

/// `table orders access=ref using=idx_customer rows=12 cost=3.4 filter=…`
fn mysql_table(table: &Map<String, Value>) -> String {
    let mut words = vec!["table".to_owned()];
    if let Some(name) = table.get("table_name").and_then(Value::as_str) {
        words.push(name.to_owned());
    }
    for (name, word) in [("access_type", "access"), ("key", "using"), ("rows_examined_per_scan", "rows"), ("filtered", "filtered")] {
        match table.get(name) {
            Some(Value::String(text)) => words.push(format!("{word}={text}")),
            Some(Value::Number(number)) => words.push(format!("{word}={number}")),
            _ => {}
        }
    }
    if let Some(cost) = table.get("cost_info").and_then(|cost| cost["prefix_cost"].as_str()) {
        words.push(format!("cost={cost}"));
    }
    if let Some(condition) = table.get("attached_condition").and_then(Value::as_str) {
        words.push(format!("filter={}", short(condition)));
    }
    words.join(" ")
}

fn short(text: &str) -> String {
    let mut short: String = text.chars().take(CONDITION).collect();
    if text.chars().count() > CONDITION {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn postgres() {
        let plan = json!([{"Plan": {"Node Type": "Hash Join", "Join Type": "Left", "Total Cost": 91.5, "Plan Rows": 120, "Hash Cond": "(o.id = i.order_id)", "Plans": [
            {"Node Type": "Seq Scan", "Relation Name": "orders", "Alias": "o", "Total Cost": 40.0, "Plan Rows": 2000, "Filter": "(total > 5)"},
            {"Node Type": "Index Scan", "Relation Name": "items", "Index Name": "items_pkey", "Total Cost": 8.44, "Plan Rows": 1, "Index Cond": "(id = $1)"},
            {"Node Type": "Sort", "Sort Key": ["a", "b DESC"]}]}}]);
        assert_eq!(
            outline(&plan.to_string()).unwrap(),
            [
                "Left Hash Join cost=91.5 rows=120 cond=(o.id = i.order_id)",
                "  Seq Scan on orders o cost=40 rows=2000 filter=(total > 5)",
                "  Index Scan using items_pkey on items cost=8.44 rows=1 cond=(id = $1)",
                "  Sort key=a, b DESC",
            ]
        );
    }

    #[test]
    fn mysql() {
        let plan = json!({"query_block": {"select_id": 1, "cost_info": {"query_cost": "12.3"}, "ordering_operation": {"using_filesort": true, "nested_loop": [
            {"table": {"table_name": "orders", "access_type": "ALL", "rows_examined_per_scan": 900, "filtered": "10.00", "cost_info": {"prefix_cost": "9.1"}, "attached_condition": "(a > 1)"}},
            {"table": {"table_name": "items", "access_type": "ref", "key": "by_order", "rows_examined_per_scan": 3}}]}}});
        assert_eq!(
            outline(&plan.to_string()).unwrap(),
            [
                "query_block cost=12.3",
                "  ordering_operation using_filesort",
                "    nested_loop",
                "      table orders access=ALL rows=900 filtered=10.00 cost=9.1 filter=(a > 1)",
                "      table items access=ref using=by_order rows=3",
            ]
        );
    }

    #[test]
    fn other_formats_are_left_to_the_caller() {
        for text in ["", "<ShowPlanXML/>", "{}", "[]", "{\"Plan\": 3}", "{\"stage\": \"COLLSCAN\"}", "null"] {
            assert_eq!(outline(text), None, "{text}");
        }
    }

    #[test]
    fn a_large_plan_says_what_is_left_out() {
        let children: Vec<Value> = (0..200).map(|_| json!({"Node Type": "Seq Scan"})).collect();
        let lines = outline(&json!({"Node Type": "Append", "Plans": children}).to_string()).unwrap();
        assert_eq!((lines.len(), lines.last().unwrap().as_str()), (NODES + 1, "(81 more nodes left out)"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_left(text in "[\\[\\]{}\":,a-zPNT 0-9]{0,60}") {
            let _ = outline(&text);
        }
    }
}
