//! How the process ends.

use std::process::ExitCode;

use crate::report::Gate;

/// What the exit code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: the target conforms, as far as was judged.
    Conforms,
    /// 1: there are findings at or above the level of `--fail-on`, or regressions.
    Findings,
    /// 2: the command line, the baseline or a report that was to be read is wrong.
    Usage,
    /// 3: the target could not be started or reached, or answers every request with 401, 403 or 404.
    Target,
    /// 4: an entry of the baseline is stale, and nothing else is wrong.
    StaleBaseline,
    /// 5: mcpwire itself failed.
    Fault,
    /// 6: nothing or too little was judged, what has to be exercised was not, or the run is incomplete.
    TooLittle,
    /// 130 or 143: a signal ended the run; the partial report is written.
    Signal(u8),
}

/// The list for `--help`.
pub const HELP: &str = "\
Exit codes:
  0    the target conforms, as far as was judged
  1    findings at or above the level of --fail-on; regressions
  2    the command line, the baseline or a report to be read is wrong
  3    the target could not be started or reached, or refuses every request
  4    an entry of the baseline is stale, and nothing else is wrong
  5    mcpwire itself failed
  6    nothing or too little was judged, or not what --require asks for, or the run
       is incomplete
  130  interrupted (143: terminated); the partial report is written";

impl Exit {
    /// What a report means.
    pub fn of(gate: Gate) -> Self {
        match gate {
            Gate::Conforms => Self::Conforms,
            Gate::Findings => Self::Findings,
            Gate::TooLittle | Gate::NotExercised => Self::TooLittle,
            Gate::StaleBaseline => Self::StaleBaseline,
            Gate::Fault => Self::Fault,
        }
    }

    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Conforms => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Target => 3,
            Self::StaleBaseline => 4,
            Self::Fault => 5,
            Self::TooLittle => 6,
            Self::Signal(number) => 128 + number,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
