//! Peers that others wrote: the official conformance suite, the Inspector, the TypeScript and the Python client.

use super::outcome::Outcome;
use anyhow::{Context as _, Result, bail};
use std::{
    ffi::OsString,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Packages of npm, pinned; `node` brings the Node 22 that the suite and the Inspector need.
const NPM: [&str; 4] = [
    "@modelcontextprotocol/conformance@0.2.0-alpha.12",
    "@modelcontextprotocol/inspector@2.12.0",
    "@modelcontextprotocol/client@2.4.0",
    "node@22.23.3",
];
/// Packages of PyPI, pinned.
const PIP: [&str; 1] = ["mcp==2.3.0"];

/// What could be installed, each with the reason when it could not.
pub(super) struct Peers {
    folder: PathBuf,
    node: Result<()>,
    python: Result<PathBuf>,
}

impl Peers {
    /// Installs into `target/interop`, once: a second run finds everything there.
    pub(super) fn install() -> Self {
        let folder = crate::workspace().join("target/interop");
        let node = fs_err::create_dir_all(&folder).map_err(Into::into).and_then(|()| install_npm(&folder));
        let python = install_pip(&folder);
        Self { folder, node, python }
    }

    /// Runs every peer; one outcome a run.
    pub(super) fn run(&self, product: &Path, fixture: &Path) -> Vec<(String, Outcome)> {
        let mut outcomes = Vec::new();
        for revision in ["2025-11-25", "2026-07-28"] {
            let name = format!("conformance {revision}, our MCP code");
            outcomes.push((name, self.with_node(|| self.conformance(fixture, "fixture", revision))));
            let name = format!("conformance {revision}, the product");
            outcomes.push((name, self.with_node(|| self.conformance(fixture, "product", revision))));
        }
        for era in ["legacy", "modern"] {
            let name = format!("Inspector --strict, {era}");
            outcomes.push((name, self.with_node(|| self.inspector(product, era))));
        }
        outcomes.push(("TypeScript client, both eras".to_owned(), self.with_node(|| self.typescript(product))));
        outcomes.push(("Python client, both eras".to_owned(), self.python_client(product)));
        outcomes
    }

    fn with_node(&self, run: impl FnOnce() -> Outcome) -> Outcome {
        match &self.node {
            Ok(()) => run(),
            Err(error) => Outcome::Skipped(format!("{error:#}")),
        }
    }

    /// The fixture serves our MCP code over HTTP, with its own content or with the product's tools; what the product does
    /// not offer is listed, with the reason, in `tests/interop/`.
    fn conformance(&self, fixture: &Path, what: &str, revision: &str) -> Outcome {
        let server = match Serving::start(fixture, what) {
            Ok(server) => server,
            Err(error) => return Outcome::Failed(format!("{error:#}")),
        };
        let mut command = self.node_command("node_modules/@modelcontextprotocol/conformance/dist/index.js");
        let results = self.folder.join(format!("conformance-{what}-{revision}"));
        command.args(["server", "--url", &server.url, "--requirements", revision, "-o"]).arg(results);
        let expected = crate::workspace().join(format!("tests/interop/conformance-{what}-{revision}.yml"));
        if expected.exists() {
            command.arg("--expected-failures").arg(expected);
        }
        Outcome::of_output(command.output())
    }

    fn inspector(&self, product: &Path, era: &str) -> Outcome {
        let mut command = Command::new(self.folder.join("node_modules/.bin/mcp-inspector"));
        self.environment(&mut command);
        command.arg("--cli").arg(product).args([
            "--sandbox",
            "--protocol-era",
            era,
            "--method",
            "tools/list",
            "--format",
            "json",
            "--strict",
        ]);
        Outcome::of_output(command.output())
    }

    fn typescript(&self, product: &Path) -> Outcome {
        let script = crate::workspace().join("tests/interop/client.mjs");
        let mut command = Command::new(self.folder.join("node_modules/node/bin/node"));
        self.environment(&mut command);
        Outcome::of_output(command.arg(script).arg(product).output())
    }

    fn python_client(&self, product: &Path) -> Outcome {
        match &self.python {
            Ok(python) => {
                Outcome::of_output(Command::new(python).arg(crate::workspace().join("tests/interop/client.py")).arg(product).output())
            }
            Err(error) => Outcome::Skipped(format!("{error:#}")),
        }
    }

    fn node_command(&self, script: &str) -> Command {
        let mut command = Command::new(self.folder.join("node_modules/node/bin/node"));
        self.environment(&mut command);
        command.arg(self.folder.join(script));
        command
    }

    /// The Node 22 that was installed comes first: tools start `node` by name.
    fn environment(&self, command: &mut Command) {
        let mut path = OsString::from(self.folder.join("node_modules/node/bin"));
        if let Some(rest) = std::env::var_os("PATH") {
            path.push(":");
            path.push(rest);
        }
        command.env("PATH", path).env("DATADOG_MCP_CONFIG", "/dev/null").current_dir(&self.folder).stdin(Stdio::null());
    }
}

/// The fixture as a running HTTP server on a free port of loopback; ends with this value.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(fixture: &Path, what: &str) -> Result<Self> {
        let mut command = Command::new(fixture);
        command.arg("127.0.0.1:0").stdout(Stdio::piped()).stderr(Stdio::null());
        if what == "product" {
            command.arg(what);
        }
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().context("the fixture has no stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned);
        let mut serving = Self { child, url: String::new() };
        match url {
            Some(url) => {
                serving.url = url;
                Ok(serving)
            }
            None => bail!("the fixture printed no URL: {line:?}"),
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if self.child.kill().and_then(|()| self.child.wait()).is_err() {
            eprintln!("the fixture could not be stopped");
        }
    }
}

fn install_npm(folder: &Path) -> Result<()> {
    let stamp = folder.join("npm.installed");
    let wanted = NPM.join(" ");
    if fs_err::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    fs_err::write(folder.join("package.json"), "{\"name\": \"interop\", \"private\": true}\n")?;
    let output = Command::new("npm")
        .args(["install", "--no-package-lock", "--no-fund", "--no-audit", "--loglevel=error"])
        .args(NPM)
        .current_dir(folder)
        .output()
        .context("npm is not installed")?;
    if !output.status.success() {
        bail!("npm install failed: {}", String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default());
    }
    let node = Command::new(folder.join("node_modules/node/bin/node")).arg("--version").output().context("Node 22 was not installed")?;
    if !node.status.success() {
        bail!("the installed Node 22 does not run");
    }
    Ok(fs_err::write(stamp, wanted)?)
}

fn install_pip(folder: &Path) -> Result<PathBuf> {
    let venv = folder.join("venv");
    let python = venv.join("bin/python");
    let stamp = folder.join("pip.installed");
    let wanted = PIP.join(" ");
    if fs_err::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(python);
    }
    fs_err::create_dir_all(folder)?;
    let made = Command::new("python3").args(["-m", "venv"]).arg(&venv).output().context("python3 is not installed")?;
    if !made.status.success() {
        bail!("python3 -m venv failed: {}", String::from_utf8_lossy(&made.stdout).trim());
    }
    let output = Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PIP).output()?;
    if !output.status.success() {
        bail!("pip install failed: {}", String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default());
    }
    fs_err::write(stamp, wanted)?;
    Ok(python)
}
