//! What the services write to their logs: messages, attributes and stack traces.

use super::requests::{Fate, Kind, Names};
use crate::dice::Dice;
use crate::json::Scalar;

/// A log line before it gets its pod, trace and time.
pub(crate) struct Line {
    /// Milliseconds after the request began.
    pub(crate) after: i64,
    pub(crate) service: usize,
    pub(crate) status: &'static str,
    pub(crate) message: String,
    pub(crate) pairs: Vec<(&'static str, Scalar)>,
}

const BROWSERS: [(&str, &str, &str); 4] = [
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        "Chrome",
        "Windows",
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1",
        "Mobile Safari",
        "iOS",
    ),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox", "Linux"),
    (
        "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
        "Chrome Mobile",
        "Android",
    ),
];

/// Euros of a number of cents.
pub(crate) fn euros(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// Method, route and path that a kind of request arrives on.
pub(crate) fn route(kind: Kind, names: &Names) -> (&'static str, &'static str, String) {
    match kind {
        Kind::Browse => ("GET", "/products/:sku", format!("/products/{}", names.sku)),
        Kind::Search => ("GET", "/search", format!("/search?q={}&page=1", names.sku.split('-').next().unwrap_or("ivy").to_lowercase())),
        Kind::Cart => ("POST", "/api/cart/items", "/api/cart/items".to_owned()),
        Kind::Checkout => ("POST", "/api/checkout", "/api/checkout".to_owned()),
    }
}

/// Status code the customer got.
pub(crate) fn code(kind: Kind, fate: Fate) -> i64 {
    match (fate, kind) {
        (Fate::TimedOut, _) => 504,
        (Fate::Hiccup, _) => 502,
        (Fate::Declined, _) => 402,
        (_, Kind::Cart | Kind::Checkout) => 201,
        _ => 200,
    }
}

/// The storefront's access line.
pub(crate) fn access(service: usize, kind: Kind, fate: Fate, names: &Names, took: i64, dice: &mut Dice) -> Line {
    let (method, route, path) = route(kind, names);
    let code = code(kind, fate);
    let (agent, browser, os) = *dice.pick(&BROWSERS);
    let bytes = if code < 300 { dice.between(2_400, 48_000) } else { dice.between(180, 420) };
    let status = if code >= 500 {
        "error"
    } else if code >= 400 {
        "warn"
    } else {
        "info"
    };
    let message = if code >= 500 {
        format!(
            "{method} {path} failed with {code} after {took} ms for customer {}: upstream did not answer in time, request {}",
            names.customer,
            &names.request[..13]
        )
    } else {
        format!(
            "{method} {path} answered {code} in {took} ms with {bytes} bytes for customer {}, request {}",
            names.customer,
            &names.request[..13]
        )
    };
    let mut pairs = vec![
        ("http.method", method.into()),
        ("http.status_code", code.into()),
        ("http.route", route.into()),
        ("http.request_id", names.request.clone().into()),
        ("http.version", "1.1".into()),
        ("http.url", format!("https://shop.larkspur.example{path}").into()),
        ("http.url_details.host", "shop.larkspur.example".into()),
        ("http.url_details.path", path.split('?').next().unwrap_or_default().to_owned().into()),
        ("http.url_details.scheme", "https".into()),
        ("http.useragent", agent.into()),
        ("http.useragent_details.browser.family", browser.into()),
        ("http.useragent_details.os.family", os.into()),
        ("http.referer", "https://shop.larkspur.example/".into()),
        ("network.client.ip", names.ip.clone().into()),
        ("network.bytes_written", bytes.into()),
        ("duration", (took * 1_000_000 + dice.between(0, 999_999)).into()),
        ("usr.id", names.customer.clone().into()),
        ("usr.session_id", names.session.clone().into()),
        ("logger.name", "access".into()),
    ];
    if code >= 500 {
        pairs.push(("error.kind", "UpstreamTimeout".into()));
        pairs.push((
            "error.message",
            format!("{} did not answer within 5000 ms", if kind == Kind::Checkout { "checkout" } else { "upstream" }).into(),
        ));
        pairs.push(("upstream.service", if kind == Kind::Checkout { "checkout" } else { "catalog" }.into()));
        pairs.push(("upstream.attempts", 1.into()));
    }
    Line { after: took, service, status, message, pairs }
}

/// Attributes that a Java service adds to each of its lines.
pub(crate) fn java(logger: &'static str, dice: &mut Dice) -> Vec<(&'static str, Scalar)> {
    vec![
        ("logger.name", logger.into()),
        ("logger.thread_name", format!("http-nio-8080-exec-{}", dice.between(1, 40)).into()),
        ("level", "INFO".into()),
        ("process.pid", 1.into()),
        ("jvm.heap_used_mb", dice.between(410, 1_480).into()),
        ("jvm.gc_pause_ms", dice.between(0, 24).into()),
        ("syslog.appname", "checkout".into()),
        ("syslog.facility", "local0".into()),
    ]
}

/// What the reservation lookup throws when the database gives up on it.
pub(crate) fn timeout_stack() -> String {
    [
        "org.springframework.dao.QueryTimeoutException: PreparedStatementCallback; ERROR: canceling statement due to statement timeout",
        "\tat org.springframework.jdbc.support.SQLStateSQLExceptionTranslator.doTranslate(SQLStateSQLExceptionTranslator.java:128)",
        "\tat org.springframework.jdbc.core.JdbcTemplate.execute(JdbcTemplate.java:658)",
        "\tat example.larkspur.checkout.stock.ReservationRepository.findOpenBySku(ReservationRepository.java:74)",
        "\tat example.larkspur.checkout.stock.StockService.reserve(StockService.java:112)",
        "\tat example.larkspur.checkout.order.PlaceOrder.handle(PlaceOrder.java:61)",
        "\tat example.larkspur.checkout.web.OrderController.place(OrderController.java:48)",
        "\tat org.springframework.web.servlet.DispatcherServlet.doDispatch(DispatcherServlet.java:1089)",
        "\tat java.base/java.lang.Thread.run(Thread.java:1583)",
        "Caused by: org.postgresql.util.PSQLException: ERROR: canceling statement due to statement timeout",
        "\tat org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse(QueryExecutorImpl.java:2733)",
        "\tat org.postgresql.jdbc.PgPreparedStatement.executeQuery(PgPreparedStatement.java:137)",
        "\t... 38 more",
    ]
    .join("\n")
}

/// What the connection pool throws when every connection waits for a lookup.
pub(crate) fn pool_stack() -> String {
    [
        "java.sql.SQLTransientConnectionException: orders-pool - Connection is not available, request timed out after 3000ms (total=20, active=20, idle=0, waiting=31)",
        "\tat com.zaxxer.hikari.pool.HikariPool.createTimeoutException(HikariPool.java:686)",
        "\tat com.zaxxer.hikari.pool.HikariPool.getConnection(HikariPool.java:179)",
        "\tat example.larkspur.checkout.stock.StockService.reserve(StockService.java:108)",
        "\tat example.larkspur.checkout.order.PlaceOrder.handle(PlaceOrder.java:61)",
        "\tat java.base/java.lang.Thread.run(Thread.java:1583)",
    ]
    .join("\n")
}
