//! The event stream: deploys, monitor alerts, Kubernetes and host events.

use super::World;
use super::event::Event;
use super::topology::{SERVICES, service};
use crate::dice::Dice;
use crate::json::{Attributes, Scalar};
use std::sync::Arc;

/// One event before it gets its id and common attributes.
struct Told {
    at: i64,
    id: String,
    title: String,
    text: String,
    source: &'static str,
    status: &'static str,
    service: &'static str,
    tags: Vec<String>,
    pairs: Vec<(&'static str, Scalar)>,
}

/// Events of the last month; those of the story first.
pub(crate) fn make(world: &World) -> Vec<Event> {
    let story = &world.story;
    let alert_tags = ["env:prod", "service:checkout", "team:orders", "monitor", "severity:high"];
    let mut told = vec![
        Told {
            at: story.deployed,
            id: story.deploy_event_id.clone(),
            title: format!("Deployed checkout {} to prod", story.bad_version),
            text: format!("Rolled out checkout {} (was {}) to larkspur-prod, commit {}: accept article numbers in any case when reserving stock; raise Hikari pool metrics to one minute. Deployed by ci-deployer, 3 of 3 pods ready after 41 s.", story.bad_version, story.good_version, &story.commit[..12]),
            source: "deployment",
            status: "info",
            service: "checkout",
            tags: ["env:prod", "service:checkout", "team:orders", "event_type:deployment", &format!("version:{}", story.bad_version), &format!("git.commit.sha:{}", story.commit)].map(str::to_owned).to_vec(),
            pairs: vec![("version", story.bad_version.clone().into()), ("previous_version", story.good_version.clone().into()), ("git.commit.sha", story.commit.clone().into())],
        },
        Told {
            at: story.alerted,
            id: story.alert_event_id.clone(),
            title: format!("[Triggered on {{service:checkout}}] {}", story.monitor_name),
            text: "38.4 % of checkouts failed in the last 5 minutes, the limit is 5 %. The monitor was last triggered 52 days ago. @pagerduty-orders @slack-orders-alerts".to_owned(),
            source: "alert",
            status: "error",
            service: "checkout",
            tags: alert_tags.map(str::to_owned).to_vec(),
            pairs: vec![
                ("monitor.id", story.monitor_id.into()),
                ("monitor.name", story.monitor_name.clone().into()),
                ("monitor.type", "query alert".into()),
                ("monitor.transition.trans_name", "Triggered".into()),
                ("monitor.transition.destination_state", "Alert".into()),
                ("monitor.transition.source_state", "OK".into()),
                ("monitor.group_key", "service:checkout".into()),
            ],
        },
        Told {
            at: story.declared,
            id: (story.deploy_event_id.parse::<u64>().unwrap_or_default() + 77).to_string(),
            title: format!("Incident {} declared: customers cannot complete checkout", story.incident_public_id),
            text: format!("SEV-2 declared by Mira Sandvik after monitor {} alerted.", story.monitor_id),
            source: "incident_management",
            status: "warn",
            service: "checkout",
            tags: ["env:prod", "service:checkout", "team:orders", "severity:sev-2"].map(str::to_owned).to_vec(),
            pairs: vec![("incident.public_id", story.incident_public_id.into()), ("incident.id", story.incident_id.clone().into())],
        },
    ];
    told.extend((0..240).map(|nth| everyday(world, nth)));
    told.into_iter().map(|told| event(world, told)).collect()
}

/// The noise of every day.
fn everyday(world: &World, nth: u64) -> Told {
    let mut dice = Dice::of(world.seed, "event", nth);
    let at = world.now - dice.between(120_000, if nth.is_multiple_of(3) { 6 * 3_600_000 } else { 30 * 86_400_000 });
    // Nothing but the culprit was deployed shortly before the trouble.
    let quiet = at > world.story.deployed - 3 * 3_600_000;
    let place =
        *dice.pick(&[service::STOREFRONT, service::PAYMENT, service::CART, service::INVENTORY, service::CATALOG, service::NOTIFICATION]);
    let what = &SERVICES[place];
    let mut tags = vec!["env:prod".to_owned(), format!("service:{}", what.name), format!("team:{}", what.team)];
    let pod = format!("{}-{}-{}", what.name, dice.hex(10), dice.hex(5));
    let (source, status, title, text, pairs): (_, _, String, String, Vec<(&'static str, Scalar)>) = match dice.below(5) {
        0 | 1 if !quiet => {
            tags.extend(["event_type:deployment".to_owned(), format!("version:{}", what.version)]);
            (
                "deployment",
                "info",
                format!("Deployed {} {} to prod", what.name, what.version),
                format!(
                    "Rolled out {} {} (was {}), all pods ready after {} s.",
                    what.name,
                    what.version,
                    what.previous,
                    dice.between(18, 90)
                ),
                vec![("version", what.version.into())],
            )
        }
        2 => (
            "kubernetes",
            "info",
            format!("Scaled deployment {} to {} replicas", what.name, dice.between(3, 6)),
            format!("Horizontal pod autoscaler: CPU utilisation of {} was {} %.", what.name, dice.between(48, 83)),
            vec![("kube.kind", "HorizontalPodAutoscaler".into())],
        ),
        3 => (
            "kubernetes",
            "warn",
            format!("Pod {pod} was rescheduled"),
            format!("Node pressure on the node of {pod}: memory. The pod was evicted and started again."),
            vec![("kube.kind", "Pod".into())],
        ),
        _ => (
            "feature_flags",
            "info",
            format!(
                "Flag {}-{} set to {} %",
                what.name,
                dice.pick(&["gallery", "recommendations", "express", "gift-wrap"]),
                dice.between(1, 10) * 10
            ),
            "Changed by the release team.".to_owned(),
            vec![("flag.provider", "in-house".into())],
        ),
    };
    Told {
        at,
        id: (5_000_000_000_000_000_000 + dice.below(1 << 58)).to_string(),
        title,
        text,
        source,
        status,
        service: what.name,
        tags,
        pairs,
    }
}

fn event(world: &World, told: Told) -> Event {
    let mut dice = Dice::of(world.seed, &told.id, 0);
    let mut tags = told.tags;
    tags.push(format!("source:{}", told.source));
    let mut pairs = told.pairs;
    pairs.extend([
        ("title", told.title.into()),
        ("status", told.status.into()),
        ("service", told.service.into()),
        ("timestamp", told.at.into()),
        ("priority", "normal".into()),
        ("aggregation_key", format!("{}-{}", told.source, told.service).into()),
        ("sourcecategory", if told.source == "alert" { "monitor_alert" } else { "api" }.into()),
        ("evt.id", told.id.clone().into()),
        ("evt.source_id", if told.source == "alert" { 36 } else { 100 }.into()),
        ("evt.type", if told.source == "alert" { "monitor_alert" } else { "api" }.into()),
    ]);
    let own = format!("AgAAA{}{}", dice.hex(19), dice.hex(100));
    Event {
        at: told.at,
        own_id: Some(own.into()),
        status: told.status,
        service: Some(told.service),
        host: Arc::from(""),
        index: "events",
        message: told.text,
        tags: tags.into(),
        attributes: Attributes::new(pairs),
    }
}
