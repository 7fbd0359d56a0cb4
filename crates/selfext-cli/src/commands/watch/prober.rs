//! Looking at the agent while a window is open.

use anyhow::Result;
use selfext::{Operations, Probe, ProbeRules, Tick};
use tokio::task::JoinHandle;

use super::super::Ledger;
use super::ground::{Branch, Ground};
use super::telling::Teller;

/// The probe that the rules ask for, while a window is open.
pub fn wanted(look: &Tick) -> Option<&ProbeRules> {
    match look {
        Tick::Looked { rules: Some(rules), .. } if look.has_open_window() => rules.probe.as_ref(),
        _ => None,
    }
}

/// One look at the agent.
pub async fn look_once(operations: &Operations, rules: &ProbeRules, at: &Branch, teller: &Teller) -> Result<()> {
    let probe = Probe::new(rules)?;
    let look = operations.look(&probe, &at.repository, &at.base).await?;
    teller.look(&probe, &look);
    Ok(())
}

/// Looks beside the watchdog's looks, so that a rollback that takes its time does not silence it.
#[derive(Default)]
pub struct Prober {
    running: Option<(ProbeRules, JoinHandle<()>)>,
}

impl Prober {
    /// Looks by these rules from now on, or not at all.
    pub async fn follow(
        &mut self,
        ledger: &Ledger,
        wanted: Option<&ProbeRules>,
        ground: &Ground<'_>,
        teller: &Teller,
    ) -> Result<()> {
        if self.running.as_ref().map(|(rules, _)| rules) == wanted {
            return Ok(());
        }
        self.stop();
        let Some(rules) = wanted else { return Ok(()) };
        let (operations, at, probe) = (ledger.open().await?, ground.branch()?, Probe::new(rules)?);
        let teller = teller.clone();
        let every = rules.interval;
        let looking = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(every);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                match operations.look(&probe, &at.repository, &at.base).await {
                    Ok(look) => teller.look(&probe, &look),
                    Err(error) => teller.not_recorded(&probe, &error.into()),
                }
            }
        });
        self.running = Some((rules.clone(), looking));
        Ok(())
    }

    fn stop(&mut self) {
        if let Some((_, looking)) = self.running.take() {
            looking.abort();
        }
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.stop();
    }
}
