//! Running the checker, and one line about what it found.

use std::fmt::Debug;
use std::hash::Hash;

use stateright::{Checker, HasDiscoveries, Model, Property};

/// Explores every state.
///
/// # Panics
/// If a property is broken; with the steps to where it is.
pub fn holds<M>(name: &str, model: M)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + PartialEq + Hash + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let checker = model.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_dfs().join();
    let states = counted(checker.unique_state_count());
    let transitions = counted(checker.state_count());
    if let Some((property, path)) = checker.discoveries().into_iter().next() {
        panic!("{name}: after {states} states, broken: {property}\n{}", listed(&path.into_actions()));
    }
    println!("{name}: {states} unique states, {transitions} transitions, safe");
}

/// Finds the model's one property broken, by as few steps as possible.
///
/// # Panics
/// If it holds.
pub fn breaks<M>(name: &str, model: M)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + PartialEq + Hash + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let (property, states, steps) = discovery(name, model);
    println!("{name}: {states} unique states, unsafe: broken in {steps} steps: {property}");
}

/// Finds that what the model looks for can happen.
///
/// # Panics
/// If it cannot.
pub fn happens<M>(name: &str, model: M)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + PartialEq + Hash + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let (property, _, steps) = discovery(name, model);
    println!("{name}: {property}, in {steps} steps");
}

fn discovery<M>(name: &str, model: M) -> (&'static str, String, usize)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + PartialEq + Hash + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let properties = model.properties();
    let [Property { name: property, .. }] = properties.as_slice() else { panic!("one property is looked at") };
    let property = *property;
    let checker = model.checker().spawn_bfs().join();
    let states = counted(checker.unique_state_count());
    let path = checker.discovery(property);
    let actions = path.unwrap_or_else(|| panic!("{name}: not found in {states} states: {property}")).into_actions();
    if std::env::var("SELFEXT_MODEL").is_ok_and(|value| value == "traces") {
        println!("{}", listed(&actions));
    }
    (property, states, actions.len())
}

fn listed(actions: &[impl Debug]) -> String {
    let lines: Vec<String> = actions.iter().map(|action| format!("  {action:?}")).collect();
    lines.join("\n")
}

/// A number with a comma at every thousand.
fn counted(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
