//! RUM: views, actions, resources and errors of customers' browsers, joined to traces.

use super::World;
use super::event::Event;
use super::lines::{code, route};
use super::requests::{Fate, Kind, Names, Request};
use crate::dice::Dice;
use crate::json::{Attributes, Scalar};
use std::sync::Arc;

type Pairs = Vec<(&'static str, Scalar)>;

/// RUM events of the last thirty days' requests in prod.
pub(crate) fn make(world: &World) -> Vec<Event> {
    let tags: Arc<[String]> = ["sdk_version:6.24.0", "env:prod", "service:storefront-web", "version:5.112.0", "source:browser", "team:web"]
        .map(str::to_owned)
        .into();
    let mut events = Vec::new();
    let month = world.now - 30 * 86_400_000;
    for request in world.requests().iter().filter(|request| request.env == "prod" && request.at > month && request.traced) {
        tell(world, request, &tags, &mut events);
    }
    events
}

fn page(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Browse => ("/products/?", "https://shop.larkspur.example/products/"),
        Kind::Search => ("/search", "https://shop.larkspur.example/search"),
        Kind::Cart => ("/cart", "https://shop.larkspur.example/cart"),
        Kind::Checkout => ("/checkout", "https://shop.larkspur.example/checkout"),
    }
}

fn tell(world: &World, request: &Request, tags: &Arc<[String]>, events: &mut Vec<Event>) {
    let names = request.names(world.seed);
    let mut dice = request.dice(world.seed, "rum");
    let view = dice.uuid();
    let mut push = |after: i64, kind: &'static str, message: String, pairs: Pairs| {
        let mut all = common(world, request, &names, &view, kind);
        all.extend(pairs);
        events.push(Event {
            at: request.at + after,
            own_id: None,
            status: if kind == "error" { "error" } else { "info" },
            service: Some("storefront-web"),
            host: Arc::from(""),
            index: "rum",
            message,
            tags: Arc::clone(tags),
            attributes: Attributes::new(all),
        });
    };
    let (_, _, path) = route(request.kind, &names);
    let status = code(request.kind, request.fate);
    let took = if request.fate == Fate::TimedOut { 5_040 } else { dice.between(40, 900) };
    push(
        -400,
        "view",
        String::new(),
        vec![
            ("view.loading_time", (dice.between(380, 2_900) * 1_000_000).into()),
            ("view.error.count", i64::from(status >= 500).into()),
            ("view.largest_contentful_paint", (dice.between(300, 2_400) * 1_000_000).into()),
        ],
    );
    if matches!(request.kind, Kind::Cart | Kind::Checkout) {
        push(
            -20,
            "action",
            String::new(),
            vec![
                ("action.type", "click".into()),
                ("action.name", if request.kind == Kind::Cart { "Add to cart" } else { "Buy now" }.into()),
                ("action.target.name", "button".into()),
            ],
        );
    }
    push(
        took,
        "resource",
        String::new(),
        vec![
            ("resource.type", "fetch".into()),
            ("resource.method", if status == 200 { "GET" } else { "POST" }.into()),
            ("resource.status_code", status.into()),
            ("resource.url", format!("https://shop.larkspur.example{path}").into()),
            ("resource.duration", (took * 1_000_000).into()),
            ("resource.size", dice.between(300, 48_000).into()),
        ],
    );
    if status >= 500 {
        push(
            took + 6,
            "error",
            format!("Checkout failed: server answered {status}"),
            vec![
                ("error.type", "CheckoutFailedError".into()),
                ("error.message", format!("Checkout failed: server answered {status}").into()),
                ("error.source", "custom".into()),
                ("error.handling", "handled".into()),
                ("error.stack", "CheckoutFailedError: Checkout failed\n  at placeOrder @ https://shop.larkspur.example/assets/checkout-4f1c.js:1:20417\n  at onSubmit @ https://shop.larkspur.example/assets/checkout-4f1c.js:1:19002".into()),
                ("error.id", Dice::of(request.trace, "rum-error", 0).uuid().into()),
            ],
        );
    }
}

fn common(world: &World, request: &Request, names: &Names, view: &str, kind: &'static str) -> Pairs {
    let (group, url) = page(request.kind);
    vec![
        ("type", kind.into()),
        ("application.id", world.story.rum_application_id.clone().into()),
        ("session.id", names.session.clone().into()),
        ("session.type", "user".into()),
        ("session.plan", "replay".into()),
        ("session.ip", names.ip.clone().into()),
        ("view.id", view.to_owned().into()),
        ("view.name", group.into()),
        ("view.url", url.into()),
        ("view.url_path", group.trim_end_matches('?').into()),
        ("view.url_path_group", group.into()),
        ("usr.id", names.customer.clone().into()),
        ("usr.email", format!("{}@customers.example", &names.customer[4..10]).into()),
        ("geo.country", "Germany".into()),
        ("geo.country_iso_code", "DE".into()),
        ("browser.name", "Chrome".into()),
        ("browser.version", "142.0.0.0".into()),
        ("device.type", "Desktop".into()),
        ("os.name", "Windows".into()),
        ("service", "storefront-web".into()),
        ("_dd.trace_id", request.trace.to_string().into()),
        ("_dd.format_version", 2.into()),
    ]
}
