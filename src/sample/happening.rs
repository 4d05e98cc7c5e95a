//! Things that happen at one time and leave rows in the exports.

/// A thing a person does, or that is done for him, at one time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Happening {
    /// Seconds since the first local midnight.
    pub(super) at: i64,
    /// Index of the person in the chunk.
    pub(super) person: u32,
    /// Tells the happenings of one person apart.
    pub(super) serial: u16,
    pub(super) what: What,
}

/// What happens.
#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    /// Somebody browses the web shop, and may buy.
    WebVisit(Visit),
    /// Somebody opens the app, and may buy.
    AppVisit(Visit),
    /// An online order is placed (version 0) or changes.
    Order { purchase: u32, version: u8 },
    /// Somebody buys in a store.
    Receipt { purchase: u32 },
    /// Somebody brings something back to a store.
    Return { purchase: u32 },
    /// Somebody is chosen for a message.
    Send { campaign: u16 },
    /// What became of a message is known.
    SendOutcome { campaign: u16 },
    /// A customer's record is exported.
    CustomerRecord { version: u8 },
}

/// Where a visit comes from and what it leads to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Visit {
    /// Index of the campaign whose link was followed.
    pub(super) campaign: Option<u16>,
    /// Index of the purchase in the chunk.
    pub(super) purchase: Option<u32>,
}
