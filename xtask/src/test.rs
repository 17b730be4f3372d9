//! `cargo xtask test`: runs the steps in order, stops at the first that fails, and ends with a table of what
//! ran and how long it took. Nothing is skipped: a step that lacks what it needs gets it, or fails. What later steps
//! need is fetched while the first ones compile, and compiled while others wait.

use std::time::{Duration, Instant};

use crate::process::{end_background, go_to_background};
use crate::steps::{ALL, PREPARED, QUICK, Step};
use crate::{Outcome, Workspace};

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let steps = choose(arguments)?;
    std::thread::scope(|scope| {
        scope.spawn(|| prepare(workspace, &steps));
        let _ended = Ended;
        run_all(workspace, &steps)
    })
}

/// Ends what is made in the background when the steps are over, however they are.
struct Ended;

impl Drop for Ended {
    fn drop(&mut self) {
        end_background();
    }
}

/// Makes what these steps need, until they are over. A failure is theirs to tell: they try it once more.
fn prepare(workspace: &Workspace, steps: &[&Step]) {
    go_to_background();
    for needed in PREPARED.iter().filter(|it| steps.iter().any(|step| step.name == it.step)) {
        let _ = (needed.prepare)(workspace);
    }
}

fn run_all(workspace: &Workspace, steps: &[&Step]) -> Outcome {
    let mut waiting = steps.iter();
    let mut passed = Vec::new();
    for step in waiting.by_ref() {
        workspace.say(&format!("{}: {}", step.name, step.about));
        let started = Instant::now();
        let outcome = (step.run)(workspace);
        let took = started.elapsed();
        if let Err(failure) = outcome {
            print_table(&passed);
            println!("{:<16} {:8.1} s  FAILED", step.name, took.as_secs_f64());
            println!("steps: {} passed, 1 failed, {} skipped", passed.len(), waiting.len());
            return Err(format!("step `{}` failed: {failure}", step.name).into());
        }
        passed.push((step.name, took));
    }
    print_table(&passed);
    println!("steps: {} passed, 0 failed", passed.len());
    Ok(())
}

fn print_table(passed: &[(&str, Duration)]) {
    println!();
    for (name, took) in passed {
        println!("{name:<16} {:8.1} s", took.as_secs_f64());
    }
}

/// All steps, the quick ones, or those that `--only` names, in their own order.
fn choose(arguments: &[String]) -> Outcome<Vec<&'static Step>> {
    let names: Vec<&str> = match arguments {
        [] => return Ok(ALL.iter().collect()),
        [flag] if flag == "--quick" => return Ok(QUICK.iter().collect()),
        [flag, names] if flag == "--only" => names.split(',').collect(),
        _ => return Err("usage: cargo xtask test [--quick | --only STEP[,STEP]]".into()),
    };
    if let Some(unknown) = names.iter().find(|name| ALL.iter().all(|step| step.name != **name)) {
        return Err(format!("there is no step `{unknown}`; `cargo xtask help` lists them").into());
    }
    Ok(ALL.iter().filter(|step| names.contains(&step.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::{ALL, PREPARED, choose};

    fn names(arguments: &[&str]) -> Result<Vec<&'static str>, String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let steps = choose(&arguments).map_err(|error| error.to_string())?;
        Ok(steps.iter().map(|step| step.name).collect())
    }

    #[test]
    fn what_is_prepared_is_for_steps_there_are() {
        let strays = PREPARED.iter().filter(|it| ALL.iter().all(|step| step.name != it.step));
        assert_eq!(strays.count(), 0);
    }

    #[test]
    fn named_steps_run_in_the_order_of_the_list() {
        assert_eq!(names(&["--only", "clippy,format"]), Ok(vec!["format", "clippy"]));
    }

    #[test]
    fn the_quick_steps_are_a_choice_of_their_own() {
        assert_eq!(names(&["--quick"]), Ok(vec!["format", "clippy", "api"]));
        assert!(names(&["--quick", "--only", "docs"]).is_err());
    }

    #[test]
    fn an_unknown_step_is_refused_rather_than_left_out() {
        assert!(names(&["--only", "clippy,clipy"]).is_err_and(|error| error.contains("`clipy`")));
        assert!(names(&["--only", ""]).is_err());
        assert!(names(&["clippy"]).is_err());
    }
}
