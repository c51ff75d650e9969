//! What is configured.

use ecs::Millis;
use hunt::Identities;

/// What was missed for longer than this is not executed late by itself: it is a gap, and filled as such.
pub const CATCH_UP: Millis = 24 * 3_600_000;

/// How gaps are filled by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FillLimits {
    /// Slots that are older are not filled unless somebody asks for it.
    pub age: Millis,
    /// So many slots are filled at a time, after all that is due.
    pub slots_per_advance: usize,
}

impl FillLimits {
    /// Only when somebody asks for it.
    pub const NONE: Self = Self { age: 0, slots_per_advance: 0 };
}

impl Default for FillLimits {
    fn default() -> Self {
        Self { age: 7 * 24 * 3_600_000, slots_per_advance: 48 }
    }
}

/// How rules are executed.
#[derive(Clone, Debug)]
pub struct Options {
    /// How records become events.
    pub normalise: cloudtrail::Options,
    /// How far reading goes.
    pub limits: reader::Limits,
    /// Whether it is worked out who is behind events.
    pub identities: Identities,
    /// Threads.
    pub threads: usize,
    /// What `kibana.version` of the alerts says.
    pub version: &'static str,
    /// See [`CATCH_UP`].
    pub catch_up: Millis,
    /// How gaps are filled.
    pub fill: FillLimits,
    /// When a rule begins that was not there before; the default is now.
    pub begin: Option<Millis>,
    /// The most alerts of one execution, instead of what each rule says.
    pub max_signals: Option<u32>,
    /// Whether it goes on if no rule can run: there may be one later.
    pub may_idle: bool,
    /// Whether what was committed survives the end of the machine, and not only that of the process.
    pub is_durable: bool,
}

impl Options {
    /// What holds if nothing else is said.
    pub fn new(normalise: cloudtrail::Options, version: &'static str) -> Self {
        Self {
            normalise,
            limits: reader::Limits::default(),
            identities: Identities::InAlerts,
            threads: 1,
            version,
            catch_up: CATCH_UP,
            fill: FillLimits::default(),
            begin: None,
            max_signals: None,
            may_idle: false,
            is_durable: true,
        }
    }
}
