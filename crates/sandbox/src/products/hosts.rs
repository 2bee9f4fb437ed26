//! Hosts: list, totals and tags.

use crate::call::{Call, Handler};
use crate::dice::Dice;
use crate::query::Glob;
use crate::reply::{Answer, Reply};
use crate::story::topology::{Machine, SERVICES};
use serde_json::{Map, Value, json};

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "v1.ListHosts" => list,
        "v1.GetHostTotals" => |call| Ok(totals(call)),
        "v1.ListHostTags" => |call| Ok(tags(call)),
        "v1.GetHostTags" => host_tags,
        _ => return None,
    })
}

fn own_tags(call: &Call<'_>, machine: &Machine) -> Vec<String> {
    let mut tags = vec![
        format!("host:{}", machine.name),
        format!("env:{}", machine.env),
        "cloud_provider:aws".to_owned(),
        "region:eu-central-1".to_owned(),
        format!("availability-zone:{}", machine.zone),
        format!("instance-type:{}", machine.kind),
        format!("instance-id:{}", machine.instance),
        format!("kube_cluster_name:larkspur-{}", machine.env),
    ];
    let here = call.world().topology.pods.iter().filter(|pod| pod.host == machine.name);
    for name in here.map(|pod| SERVICES[pod.service].name) {
        let tag = format!("service:{name}");
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

/// The newest value of a metric on a machine.
fn metric(call: &Call<'_>, name: &str, machine: &Machine) -> Option<f64> {
    let tag = format!("host:{}", machine.name);
    let world = call.world();
    let series = world.metrics().iter().find(|metric| metric.name == name)?.series.iter().find(|series| series.tags.contains(&tag))?;
    series.value(world.now - 10_000, world.now, world.story.deployed)
}

fn list(call: &Call<'_>) -> Answer {
    let (count, start) = (call.page_size("count", 100, 1_000)?, call.offset("start")?);
    let filter = call.param("filter").unwrap_or_default().to_owned();
    let fits = |tags: &[String]| {
        filter.split([' ', ',']).filter(|word| !word.is_empty()).all(|word| {
            let glob = Glob::new(&if word.contains(':') { word.to_owned() } else { format!("*{word}*") });
            tags.iter().any(|tag| glob.fits(tag, true))
        })
    };
    let machines: Vec<(&Machine, Vec<String>)> =
        call.world().topology.machines.iter().map(|machine| (machine, own_tags(call, machine))).filter(|(_, tags)| fits(tags)).collect();
    let mut rows: Vec<Value> = machines.iter().map(|(machine, tags)| row(call, machine, tags)).collect();
    if let Some(field @ ("cpu" | "iowait" | "load")) = call.param("sort_field") {
        rows.sort_by(|a, b| b["metrics"][field].as_f64().unwrap_or_default().total_cmp(&a["metrics"][field].as_f64().unwrap_or_default()));
        if call.param("sort_dir") == Some("asc") {
            rows.reverse();
        }
    }
    let total = rows.len();
    let page: Vec<Value> = rows.into_iter().skip(start).take(count).collect();
    Ok(Reply::json(&json!({"exact_total_matching": true, "total_returned": page.len(), "total_matching": total, "host_list": page})))
}

fn row(call: &Call<'_>, machine: &Machine, tags: &[String]) -> Value {
    let database = machine.kind.starts_with("r6i");
    let mut apps = vec!["agent", "ntp", "kubernetes", "containerd"];
    if database {
        apps = vec!["agent", "ntp", "postgres"];
    }
    let cpu = metric(call, "system.cpu.idle", machine).map(|idle| ((100.0 - idle) * 1e4).round() / 1e4);
    let mut row = json!({
        "name": &*machine.name, "host_name": &*machine.name, "id": machine.id, "aliases": [machine.instance, &*machine.name], "apps": apps,
            "up": true,
        "is_muted": false, "mute_timeout": Value::Null, "last_reported_time": call.now / 1_000 - 7, "sources": ["agent", "aws"],
        "tags_by_source": {"Datadog": tags[..2].to_vec(), "Amazon Web Services": tags[2..7].to_vec(), "Kubernetes": tags[7..].to_vec()},
        "metrics": {"cpu": cpu, "iowait": if database { 31.4 } else { 0.3 }, "load": metric(call, "system.load.1", machine)},
    });
    if call.param("include_hosts_metadata") != Some("false") {
        let checks: Vec<Value> = apps
            .iter()
            .chain(&["cpu", "disk", "io", "load", "memory", "network", "uptime"])
            .map(|check| json!([check, check, format!("{check}:{}", Dice::of(machine.id, check, 0).hex(16)), "OK", "", ""]))
            .collect();
        let gohai = json!({"cpu": {"cpu_cores": "8", "family": "6", "model_name": "Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz"},
            "memory": {"total": "32GB"}, "platform": {"os": "GNU/Linux", "kernel_release": "6.12"}});
        row["meta"] = json!({
            "agent_version": "7.72.1", "agent_flavor": "agent", "platform": "linux", "machine": "amd64", "processor": "Intel(R) Xeon(R)",
                "cpuCores": 8,
            "pythonV": "3.12.9", "socket-hostname": &*machine.name, "socket-fqdn": &*machine.name, "timezones": ["UTC"], "nixV": ["ubuntu",
                "24.04", ""],
            "host_id": machine.id, "gohai": gohai.to_string(), "agent_checks": checks, "install_method": {"tool": "helm",
                "tool_version": "helm", "installer_version": "datadog-3.140.0"},
            "network": {"network-id": Value::Null, "private-ipv4": machine.ip}, "logs_agent": {"transport": "HTTP"},
        });
    }
    row
}

fn totals(call: &Call<'_>) -> Reply {
    let machines = call.world().topology.machines.len();
    Reply::json(&json!({"total_up": machines, "total_active": machines}))
}

fn tags(call: &Call<'_>) -> Reply {
    let mut map: Map<String, Value> = Map::new();
    for machine in &call.world().topology.machines {
        for tag in own_tags(call, machine) {
            if let Some(hosts) = map.entry(tag).or_insert_with(|| json!([])).as_array_mut() {
                hosts.push(json!(&*machine.name));
            }
        }
    }
    Reply::json(&json!({ "tags": map }))
}

fn host_tags(call: &Call<'_>) -> Answer {
    let name = call.segment("host_name");
    let machine = call.world().topology.machines.iter().find(|machine| &*machine.name == name);
    let machine = machine.ok_or_else(|| Reply::errors(404, &["Host not found"]))?;
    Ok(Reply::json(&json!({"host": name, "tags": own_tags(call, machine)})))
}
