//! The parts put together as the configuration says: client, tools, and the sandbox when it stands in for Datadog.

use super::sandbox::Running;
use crate::{
    config::{Config, ConfigError},
    mcp::ToolboxSurface,
};
use datadog_client::{Client, ClientConfig, Configuration, ConfiguredCredentials};
use datadog_tools::{Registry, Toolbox};
use std::sync::Arc;

/// Everything a command needs.
#[derive(Debug)]
pub struct App {
    config: Config,
    toolbox: Toolbox,
    sandbox: Option<Running>,
}

impl App {
    /// Puts the parts together; starts the sandbox when the configuration asks for it, and otherwise opens no connection.
    pub async fn open(mut config: Config) -> anyhow::Result<Self> {
        let sandbox = if config.sandbox { Some(Running::start_anywhere().await?) } else { None };
        if let Some(running) = &sandbox {
            // Real credentials never go to the sandbox.
            config.credentials = running.keys();
            config.site = running.site()?;
            config.client = ClientConfig { proxy: None, ..config.client };
        }
        let registry = Registry::build(config.selection.clone(), config.tools_dir.as_deref())
            .map_err(|error| ConfigError::Value(error.to_string()))?;
        let toolbox = Toolbox::new(registry, client(&config)?, config.answers.clone());
        Ok(Self { config, toolbox, sandbox })
    }

    /// The configuration in effect.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The tools.
    #[must_use]
    pub fn toolbox(&self) -> &Toolbox {
        &self.toolbox
    }

    /// The tools as a server offers them.
    #[must_use]
    pub fn surface(&self) -> ToolboxSurface {
        ToolboxSurface::new(self.toolbox.clone(), self.config.answers.max_tokens)
    }

    /// Lets the sandbox go.
    pub async fn close(self) {
        if let Some(running) = self.sandbox {
            running.close().await;
        }
    }
}

fn client(config: &Config) -> Result<Client, ConfigError> {
    let credentials = &config.credentials;
    let secret = |found: &Option<crate::config::Found>| found.as_ref().map(|found| found.secret.clone());
    let configuration = Configuration {
        bearer: secret(&credentials.bearer),
        api_key: secret(&credentials.api_key),
        app_key: secret(&credentials.app_key),
        org: config.org.clone(),
        ..Configuration::default()
    };
    let unusable = |refusal: datadog_client::Refusal| {
        let why = refusal.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        ConfigError::Value(format!("{}{why}", refusal.message))
    };
    let source = ConfiguredCredentials::new(configuration).map_err(unusable)?;
    Client::new(config.client.clone(), config.site.clone(), Arc::new(source)).map_err(unusable)
}
