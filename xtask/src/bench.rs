//! `cargo xtask bench`: builds the server and the program that measures it, both as released, and hands
//! over. The measuring lies in a package of its own (`bench/`), because what it needs would make xtask slow to compile.

use crate::process;
use crate::{Outcome, Workspace, node, release};

/// The folder of the function that Daypass is compared with.
const LAMBDA_NODE: &str = "bench/lambda-node";

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let daypass = release::program(workspace)?;
    let function = release::lambda_program(workspace, None)?;
    node::prepare(workspace, LAMBDA_NODE)?;
    let mut bench = workspace.cargo("run --release --locked --quiet --package daypass-bench --");
    process::run(
        bench
            .args(arguments)
            .env("DAYPASS_BIN", daypass)
            .env("LAMBDA_DAYPASS", function)
            .env("LAMBDA_NODE", workspace.source(LAMBDA_NODE)),
    )
}
