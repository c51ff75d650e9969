//! What is kept of a call.

use ecs::Millis;

use crate::call::Call;
use crate::texts::{TextId, Texts};
use crate::who::Who;

/// A call that issued credentials. Everything but its times is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) time: Millis,
    pub(crate) ingested: Millis,
    pub(crate) call: Call,
    /// The `_id` of its event.
    pub(crate) id: TextId,
    /// The number of the caller.
    pub(crate) caller: u32,
    /// The key that was issued.
    pub(crate) key: TextId,
    pub(crate) role: TextId,
    /// The ARN of the session; of a long-term key the user's name.
    pub(crate) session: TextId,
    pub(crate) address: TextId,
    pub(crate) shared: TextId,
    pub(crate) recipient: TextId,
}

/// Who made calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Caller {
    pub(crate) kind: TextId,
    pub(crate) arn: TextId,
    pub(crate) key: TextId,
    pub(crate) issuer: TextId,
    pub(crate) created: Option<Millis>,
    pub(crate) account: TextId,
    pub(crate) principal: TextId,
    pub(crate) name: TextId,
    pub(crate) service: TextId,
}

impl Caller {
    pub(crate) fn intern(who: &Who<'_>, texts: &mut Texts) -> Self {
        let mut id = |text: Option<&str>| texts.intern(text.unwrap_or_default());
        Self {
            kind: id(who.kind),
            arn: id(who.arn),
            key: id(who.key),
            issuer: id(who.issuer),
            created: who.created,
            account: id(who.account),
            principal: id(who.principal),
            name: id(who.name),
            service: id(who.service),
        }
    }

    pub(crate) fn who<'t>(&self, texts: &'t Texts) -> Who<'t> {
        Who {
            kind: texts.some(self.kind),
            arn: texts.some(self.arn),
            key: texts.some(self.key),
            issuer: texts.some(self.issuer),
            created: self.created,
            account: texts.some(self.account),
            principal: texts.some(self.principal),
            name: texts.some(self.name),
            service: texts.some(self.service),
        }
    }
}
