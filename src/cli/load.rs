//! The options that ask for more than an ordinary run does to a target.

use clap::Args as Clap;

use super::say;
use crate::manifest::{Crowd, Load};

/// So many calls tell a leak from noise.
const CALLS: u32 = 40_000;

/// So much may be asked for: a crowd is kept and judged whole, and of calls beyond this nobody learns more.
const MOST_CALLS: u32 = 1_000_000;
const MOST_STREAMS: u32 = 20_000;

/// More than an ordinary run does.
#[derive(Debug, Clap)]
pub struct LoadArgs {
    /// Make so many calls as well, and watch the target's memory [without a number: 40000]. It takes up to three minutes
    /// in each revision.
    #[arg(long, value_name = "CALLS", num_args = 0..=1, require_equals = true, default_missing_value = "40000",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_CALLS)), help_heading = "Load")]
    soak: Option<u32>,
    /// Hold so many streams at once as well [without a number: 100x10].
    #[arg(long, value_name = "SESSIONSxSTREAMS", num_args = 0..=1, require_equals = true,
        default_missing_value = "100x10", value_parser = crowd, help_heading = "Load")]
    crowd: Option<Crowd>,
    /// Put load on this host too: without this option, on this machine only.
    #[arg(long, value_name = "HOST", help_heading = "Load")]
    pub allow_load: Vec<String>,
}

impl LoadArgs {
    /// What is asked for.
    pub fn load(&self) -> Load {
        Load { soak: self.soak, crowd: self.crowd }
    }

    /// Says what will be sent, before anything is.
    pub fn announce(&self) {
        if let Some(calls) = self.soak {
            say(&format!("load: {calls} calls, one after another, in each revision"));
        }
        if let Some(Crowd { sessions, streams }) = self.crowd {
            say(&format!("load: {} connections at once in {sessions} sessions, in each revision", sessions * streams));
        }
    }

    /// The options as they would be typed again, each behind a blank.
    pub fn given(&self) -> String {
        let soak =
            self.soak.map(|calls| if calls == CALLS { " --soak".to_owned() } else { format!(" --soak={calls}") });
        let crowd = self.crowd.map(|Crowd { sessions, streams }| format!(" --crowd={sessions}x{streams}"));
        let hosts = self.allow_load.iter().map(|host| format!(" --allow-load {}", shell_words::quote(host)));
        soak.into_iter().chain(crowd).chain(hosts).collect()
    }
}

fn crowd(text: &str) -> Result<Crowd, String> {
    let read = |text: &str| text.parse::<u32>().ok().filter(|count| (1..=MOST_STREAMS).contains(count));
    let pair = text.split_once('x').and_then(|(sessions, streams)| Some((read(sessions)?, read(streams)?)));
    pair.filter(|(sessions, streams)| sessions.checked_mul(*streams).is_some_and(|all| all <= MOST_STREAMS))
        .map(|(sessions, streams)| Crowd { sessions, streams })
        .ok_or_else(|| {
            format!(
                "`{text}` is not of the form SESSIONSxSTREAMS, such as 100x10, with up to {MOST_STREAMS} streams in all"
            )
        })
}
