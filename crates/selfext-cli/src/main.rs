//! The command `selfext`.

mod args;
mod change;
mod commands;
mod exit;
mod git;
mod interrupt;
mod local;
mod show;

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;
use serde_json::json;
use tracing_subscriber::EnvFilter;

use crate::exit::Exit;

/// An audit allocates and frees a dozen short texts an event, which took a sixth of `bench audit`
/// with the C library's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What is logged unless `SELFEXT_LOG` says otherwise. octocrab logs errors that are handled, and told, here.
const LOGGED: &str = "error,octocrab=off";

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("SELFEXT_LOG").unwrap_or_else(|_| EnvFilter::new(LOGGED)))
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .init();
    let json = cli.json;
    match commands::run(cli).await {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = Exit::of_error(&error);
            if json {
                let (error, causes) = (error.to_string(), show::causes(&error));
                show::print_json(
                    &json!({"outcome": "error", "error": error, "causes": causes, "exit_code": exit as u8}),
                );
            } else {
                show::note(&show::error_lines(&error));
            }
            exit.into()
        }
    }
}

/// Answers a command line that is not to be run: a wrong one, or one that asks for help.
fn explain(error: &clap::Error) -> ExitCode {
    let typed = |word: &str| std::env::args_os().any(|typed| typed == word);
    // Whoever pauses in a hurry must not take a line that was refused for a pause.
    let unpaused = if typed("pause") { "\nnothing was paused" } else { "" };
    if error.use_stderr() && typed("--json") {
        let text = error.render().to_string();
        let words = format!("{}{unpaused}", text.trim().trim_start_matches("error: "));
        show::print_json(&json!({"outcome": "error", "error": words, "causes": [], "exit_code": Exit::Usage as u8}));
    } else {
        // There is nobody to tell if that fails.
        let _ = error.print();
        if error.use_stderr() && !unpaused.is_empty() {
            show::note(unpaused.trim_start());
        }
    }
    if error.use_stderr() { Exit::Usage.into() } else { ExitCode::SUCCESS }
}
