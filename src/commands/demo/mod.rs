//! `demo`: a real client on a pipe investigates the sandbox's incident through this very binary.

mod agent;
mod investigation;
mod transcript;

use super::{print, sandbox::Running, terminal::Paint};
use crate::{cli::DemoArguments, config::Config, exit::Exit};
use anyhow::Context as _;
use std::time::Duration;
use transcript::Transcript;

/// Longest time the whole demonstration may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn run(config: &Config, arguments: &DemoArguments) -> anyhow::Result<Exit> {
    let mut transcript = Transcript::new(Paint(config.color), arguments.full);
    let running = Running::start_anywhere().await?;
    let told = tokio::time::timeout(PATIENCE, investigation::run(&running, &mut transcript)).await;
    running.close().await;
    told.context("the demonstration took longer than a minute")??;
    print(&transcript.ending())?;
    Ok(if transcript.all_found() { Exit::Ok } else { Exit::Failed })
}
