//! Who one is, users, teams, roles, permissions, and whether a key is good.

use crate::call::{Call, Handler};
use crate::dice::Dice;
use crate::reply::{Answer, Reply};
use crate::story::monitors::AUTHOR;
use crate::story::topology::SERVICES;
use crate::time::iso_offset;
use datadog_catalogue::operations;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "v1.Validate" => |_| Ok(Reply::json(&json!({"valid": true}))),
        "v2.Validate" => |_| Ok(Reply::json(&json!({"status": "ok"}))),
        "v2.ValidateAPIKey" => |_| Ok(Reply::json(&json!({"status": "ok"}))),
        "v2.GetCurrentUser" => |call| Ok(Reply::json(&json!({"data": user(call, 0), "included": [role(call)]}))),
        "v2.ListUsers" => users,
        "v2.GetUser" => get_user,
        "v2.ListUserPermissions" => |call| Ok(Reply::json(&json!({"data": permissions(call, true)}))),
        "v2.ListPermissions" => |call| Ok(Reply::json(&json!({"data": permissions(call, false)}))),
        "v2.ListRoles" => {
            |call| Ok(Reply::json(&json!({"data": [role(call)], "meta": {"page": {"total_count": 1, "total_filtered_count": 1}}})))
        }
        "v2.ListTeams" => teams,
        _ => return None,
    })
}

const PEOPLE: [&str; 7] = ["Mira Sandvik", "Tomasz Lindqvist", "Ada Ferreira", "Jonas Abara", "Leila Novak", "Pavel Oduya", "Hana Brandt"];

fn id(nth: usize) -> String {
    if nth == 0 { AUTHOR.2.to_owned() } else { Dice::of(3, "user", nth as u64).uuid() }
}

fn user(call: &Call<'_>, nth: usize) -> Value {
    let name = PEOPLE[nth];
    let mail = format!("{}@larkspur.example", name.split(' ').next().unwrap_or_default().to_lowercase());
    let created = iso_offset(call.world().now - (700 - nth as i64 * 40) * 86_400_000);
    json!({
        "type": "users", "id": id(nth),
        "attributes": {"name": name, "handle": mail, "email": mail, "created_at": created, "modified_at": created,
            "icon": "https://avatar.invalid/?s=48", "title": Value::Null,
            "verified": true, "service_account": false, "disabled": false, "allowed_login_methods": [], "status": "Active", "mfa_enabled": true},
        "relationships": {"roles": {"data": [{"type": "roles", "id": Dice::of(3, call.who.role, 0).uuid()}]},
            "org": {"data": {"type": "orgs", "id": Dice::of(3, "org", 0).uuid()}}},
    })
}

/// The role of the one who asks, with its permissions.
fn role(call: &Call<'_>) -> Value {
    let created = iso_offset(call.world().now - 900 * 86_400_000);
    let permissions: Vec<Value> =
        permissions(call, true).iter().map(|permission| json!({"type": "permissions", "id": permission["id"]})).collect();
    json!({"type": "roles", "id": Dice::of(3, call.who.role, 0).uuid(), "attributes": {"name": call.who.role, "created_at": created,
        "modified_at": created, "user_count": PEOPLE.len()}, "relationships": {"permissions": {"data": permissions}}})
}

/// Every permission that an operation can ask for; only those of the role when `own`.
fn permissions(call: &Call<'_>, own: bool) -> Vec<Value> {
    let names: BTreeSet<&str> =
        operations().iter().filter_map(|operation| operation.permission).flat_map(|permission| permission.names).copied().collect();
    let shown = names.into_iter().filter(|name| *name != "built_in_features" && (!own || call.who.permissions.has(name)));
    shown
        .map(|name| {
            let kind = if name.ends_with("_read") {
                "read"
            } else if name.ends_with("_write") {
                "write"
            } else {
                "other"
            };
            json!({"type": "permissions", "id": Dice::of(3, name, 0).uuid(), "attributes": {"name": name, "display_name": name.replace('_',
                " "), "description": "", "created": "2019-01-01T00:00:00.000000+00:00", "group_name": "General", "display_type": kind,
                    "restricted": false}})
        })
        .collect()
}

fn users(call: &Call<'_>) -> Answer {
    let (size, page) = (call.page_size("page[size]", 10, 100)?, call.offset("page[number]")?);
    let filter = call.param("filter").unwrap_or_default().to_lowercase();
    let found: Vec<usize> = (0..PEOPLE.len())
        .filter(|nth| {
            PEOPLE[*nth].to_lowercase().contains(&filter) || user(call, *nth)["attributes"]["email"].to_string().contains(&filter)
        })
        .collect();
    let rows: Vec<Value> = found.iter().skip(page * size).take(size).map(|nth| user(call, *nth)).collect();
    let mut included = vec![role(call)];
    included.extend(permissions(call, true));
    Ok(Reply::json(
        &json!({"data": rows, "included": included, "meta": {"page": {"total_count": PEOPLE.len(), "total_filtered_count": found.len()}}}),
    ))
}

fn get_user(call: &Call<'_>) -> Answer {
    let wanted = call.segment("user_id");
    let nth = (0..PEOPLE.len()).find(|nth| id(*nth) == wanted).ok_or_else(|| Reply::errors(404, &["User not found"]))?;
    Ok(Reply::json(&json!({"data": user(call, nth)})))
}

fn teams(call: &Call<'_>) -> Answer {
    let (size, page) = (call.page_size("page[size]", 10, 100)?, call.offset("page[number]")?);
    let mut names: Vec<&str> = SERVICES.iter().map(|service| service.team).collect();
    names.sort_unstable();
    names.dedup();
    let created = iso_offset(call.world().now - 800 * 86_400_000);
    let total = names.len();
    let keyword = call.param("filter[keyword]").unwrap_or_default();
    let row = |name: &str| {
        let id = Dice::of(3, name, 1).uuid();
        json!({"type": "team", "id": id, "attributes": {"name": name, "handle": name, "summary": Value::Null, "description": Value::Null,
            "user_count": 3, "link_count": 0, "created_at": created, "modified_at": created},
            "relationships": {"team_links": {"links": {"related": format!("/api/v2/team/{id}/links")}},
                "user_team_permissions": {"links": {"related": format!("/api/v2/team/{id}/permission-settings")}}}})
    };
    let rows: Vec<Value> = names.into_iter().filter(|name| name.contains(keyword)).skip(page * size).take(size).map(row).collect();
    // The next offset is always named, also behind the last page.
    let meta = json!({"pagination": {"offset": page * size, "first_offset": 0, "prev_offset": 0, "next_offset": (page + 1) * size,
        "last_offset": 0, "limit": size, "type": "offset_limit", "total": total}});
    Ok(Reply::json(&json!({"data": rows, "meta": meta, "links": {"self": format!("{}/api/v2/team", call.base),
            "next": format!("{}/api/v2/team?page[offset]={}&page[limit]={size}", call.base, (page + 1) * size), "last": Value::Null,
                "prev": Value::Null, "first": Value::Null}})))
}
