//! The way of one call: find the tool, check the arguments, run it, render what it found.

use crate::{
    Answer, CallContext, Effect, NativeTool, Output, Progress, Registry, Tool,
    answer::{self, RenderContext, Sealer, View, ViewDefaults},
    arguments,
    defined::ByOperation,
    native::reach,
    registry::Withheld,
};
use datadog_client::{CallLimits, Client, Fix, Kind, Principal, Refusal, WhoCanFix, untrusted};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::{fmt, sync::Arc};

/// How a toolbox is set up.
#[derive(Clone)]
pub struct ToolboxConfig {
    /// Key that seals cursors; the same on every replica.
    pub seal_key: [u8; 32],
    /// Name of the session that calls use, `default` unless another was chosen.
    pub org: String,
    /// Budget of an answer in estimated tokens when the caller names none.
    pub default_tokens: usize,
    /// Largest budget a caller may ask for.
    pub max_tokens: usize,
    /// Mask secrets that stand in telemetry.
    pub mask_secrets: bool,
}

impl Default for ToolboxConfig {
    fn default() -> Self {
        Self { seal_key: rand::random(), org: "default".to_owned(), default_tokens: 4_000, max_tokens: 25_000, mask_secrets: true }
    }
}

impl fmt::Debug for ToolboxConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolboxConfig")
            .field("default_tokens", &self.default_tokens)
            .field("max_tokens", &self.max_tokens)
            .finish_non_exhaustive()
    }
}

/// Everything a transport needs to serve tools; knows no transport.
#[derive(Debug, Clone)]
pub struct Toolbox {
    registry: Registry,
    client: Client,
    config: ToolboxConfig,
    sealer: Sealer,
}

/// One call as a transport hands it over.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// Who calls.
    pub who: &'a Principal,
    /// Deadline and cancellation.
    pub limits: &'a CallLimits,
    /// Where progress goes.
    pub progress: &'a dyn Progress,
    /// Form of the rows.
    pub output: Output,
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("who", self.who).field("output", &self.output).finish_non_exhaustive()
    }
}

/// Why a call has no answer.
#[derive(Debug)]
pub enum CallError {
    /// No tool of that name is offered; a protocol error. Holds the nearest names.
    UnknownTool {
        /// Nearest names that are offered.
        nearest: Vec<String>,
    },
    /// Everything else an agent can meet; a tool result with `isError`.
    Refused(Box<Refusal>),
}

impl From<Refusal> for CallError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// What a call turned out to mean, once `tools_call_*` was looked through.
enum Target {
    Tool(Arc<Tool>),
    Operation(&'static datadog_catalogue::Operation),
}

impl Target {
    fn name(&self) -> &str {
        match self {
            Self::Tool(tool) => &tool.name,
            Self::Operation(operation) => operation.id,
        }
    }
}

impl Toolbox {
    /// Puts the parts together.
    #[must_use]
    pub fn new(registry: Registry, client: Client, config: ToolboxConfig) -> Self {
        let sealer = Sealer::new(config.seal_key);
        Self { registry, client, config, sealer }
    }

    /// The tools.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A refusal as the agent reads it.
    #[must_use]
    pub fn refusal_text(&self, refusal: &Refusal) -> String {
        answer::refusal_text(refusal, &self.sealer)
    }

    /// Calls a listed tool by name or alias.
    pub async fn call(&self, call: &Call<'_>, name: &str, arguments: Map<String, Value>) -> Result<Answer, CallError> {
        let Some(tool) = self.registry.listed_tool(name) else {
            let withheld = self.registry.reachable_tool(name).and_then(|tool| self.registry.withheld_tool(tool));
            return Err(match withheld {
                Some(withheld) => forbidden(name, withheld).into(),
                None => CallError::UnknownTool { nearest: self.registry.nearest(name) },
            });
        };
        let Some(allowed) = reach::allowed(&tool.name) else {
            return Ok(self.run(call, &Target::Tool(Arc::clone(tool)), arguments).await?);
        };
        let (target, inner) = self.look_through(tool, allowed, arguments)?;
        Ok(self.run(call, &target, inner).await?)
    }

    /// What a `tools_call_*` call means, and the arguments of that.
    fn look_through(&self, tool: &Tool, allowed: Effect, arguments: Map<String, Value>) -> Result<(Target, Map<String, Value>), Refusal> {
        let mut checked = arguments::check(&tool.name, &tool.input_schema, arguments)?;
        let name = checked.shift_remove("name").and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
        let mut inner = match checked.shift_remove("arguments") {
            Some(Value::Object(inner)) => inner,
            _ => Map::new(),
        };
        // The view arguments of the outer call go along, unless the inner ones say otherwise.
        for (name, value) in checked {
            inner.entry(name).or_insert(value);
        }
        let target = self.target(&name)?;
        let (effect, withheld) = match &target {
            Target::Tool(inner) if reach::allowed(&inner.name).is_some() => {
                return Err(Refusal::invalid(format!(
                    "{} calls tools and operations, not `{}`; name what is meant.",
                    tool.name, inner.name
                )));
            }
            Target::Tool(tool) => (tool.effect, self.registry.withheld_tool(tool)),
            Target::Operation(operation) => (operation.kind.effect(), self.registry.withheld_operation(operation)),
        };
        if let Some(withheld) = withheld {
            return Err(forbidden(target.name(), withheld));
        }
        if (effect == Effect::Read) != (allowed == Effect::Read) {
            let other = if effect == Effect::Read { reach::READ } else { reach::WRITE };
            let what = if effect == Effect::Read { "reads" } else { "changes the org" };
            return Err(Refusal::invalid(format!("`{}` {what}; {} does not call it.", target.name(), tool.name))
                .fix(Fix::new(other, "Call it through this tool.").with("name", target.name())));
        }
        Ok((target, inner))
    }

    fn target(&self, name: &str) -> Result<Target, Refusal> {
        if let Some(tool) = self.registry.reachable_tool(name) {
            return Ok(Target::Tool(Arc::clone(tool)));
        }
        datadog_catalogue::operation_loosely(name).map(Target::Operation).map_err(|near| {
            let near: Vec<&str> = near.iter().take(5).map(|operation| operation.id).collect();
            let shown = untrusted::shown(name, 80);
            let refusal = Refusal::invalid(format!("There is no tool and no operation `{shown}`."))
                .fix(Fix::new("tools_find", "Search by words.").with("query", shown.as_str()));
            if near.is_empty() { refusal } else { refusal.because(format!("Nearest operations: {}.", near.join(", "))) }
        })
    }

    async fn run(&self, call: &Call<'_>, target: &Target, mut arguments: Map<String, Value>) -> Result<Answer, Refusal> {
        let name = target.name();
        let defaults = ViewDefaults {
            tokens: self.config.default_tokens,
            max_tokens: self.config.max_tokens,
            output: call.output,
            mask: self.config.mask_secrets,
        };
        // An operation may have parameters of its own with these names; the view takes only what is left of them.
        let own = match target {
            Target::Tool(tool) => Held::of(&mut arguments, |view| !has(&tool.input_schema, view)),
            Target::Operation(operation) => Held::of(&mut arguments, |view| operation.params.iter().any(|param| param.name == view)),
        };
        let (view, cursor) = View::take(&mut arguments, &defaults)?;
        own.give_back(&mut arguments);
        let arguments = match target {
            Target::Tool(tool) => arguments::check(name, &tool.input_schema, arguments)?,
            Target::Operation(_) => arguments,
        };
        let digest = answer::arguments_digest(&arguments);
        let page = cursor.map(|cursor| self.sealer.open(call.who, name, &digest, &cursor)).transpose()?;
        let cx = CallContext {
            who: call.who,
            client: &self.client,
            limits: call.limits,
            progress: call.progress,
            now: Timestamp::now(),
            page: page.as_ref(),
            budget: view.max_tokens,
            registry: &self.registry,
        };
        let draft = match target {
            Target::Tool(tool) => tool.run.run(&cx, arguments).await.map_err(|refusal| in_terms_of(tool, refusal))?,
            Target::Operation(operation) => ByOperation(operation).run(&cx, arguments).await?,
        };
        let render = RenderContext {
            site: self.client.site().name(),
            org: &self.config.org,
            sealer: &self.sealer,
            who: call.who,
            tool: name,
            digest,
            page: page.as_ref(),
            accepts: match target {
                Target::Tool(tool) => answer::ViewArguments::of(&tool.input_schema),
                Target::Operation(_) => answer::ViewArguments::ALL,
            },
        };
        answer::render(draft, &view, &render)
    }
}

/// What Datadog refused of a tool's own request is mended by the tool's arguments, not by those of the operation under it.
fn in_terms_of(tool: &Tool, mut refusal: Refusal) -> Refusal {
    if refusal.kind == Kind::InvalidArguments {
        for fix in &mut refusal.fixes {
            if fix.action == "tools_find" {
                *fix = Fix::new(&tool.name, "Correct what Datadog names and call again.");
            }
        }
    }
    refusal
}

/// Arguments that are named as a view argument but are the tool's own.
struct Held(Vec<(String, Value)>);

impl Held {
    fn of(arguments: &mut Map<String, Value>, own: impl Fn(&str) -> bool) -> Self {
        let names: Vec<String> = answer::view_properties().keys().filter(|name| own(name)).cloned().collect();
        Self(names.into_iter().filter_map(|name| arguments.shift_remove(&name).map(|value| (name, value))).collect())
    }

    fn give_back(self, arguments: &mut Map<String, Value>) {
        arguments.extend(self.0);
    }
}

fn has(schema: &Map<String, Value>, name: &str) -> bool {
    schema.get("properties").is_some_and(|properties| properties.get(name).is_some())
}

/// The operator of the server does not offer it.
fn forbidden(name: &str, withheld: Withheld) -> Refusal {
    let (why, flag) = match withheld {
        Withheld::ReadOnly => ("it changes the org and this server is read-only", Some("--allow-writes")),
        Withheld::Excluded => ("the operator of this server excluded it", None),
        Withheld::Secret => ("its answer carries key material", Some("--allow-secrets")),
    };
    let mut refusal = Refusal::new(Kind::ForbiddenByOperator, format!("`{name}` was not called: {why}."));
    refusal.who_can_fix = Some(WhoCanFix::Operator);
    match flag {
        Some(flag) => refusal
            .fix(Fix::new("ask_operator", format!("Whoever runs this server can start it with {flag}; nothing was sent to Datadog."))),
        None => refusal,
    }
}
