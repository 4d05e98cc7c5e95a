//! Campaigns: those that work and those that do not.

use super::rates::Currency;

/// Days after which the recurring campaigns come again.
const ROUND: u32 = 30;

/// A campaign and what it truly does.
#[derive(Debug)]
pub(super) struct Campaign {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) channel: &'static str,
    pub(super) first_day: u32,
    /// The last day, included; it may lie behind the period.
    pub(super) last_day: u32,
    /// In yuan.
    pub(super) budget: i64,
    pub(super) kind: Kind,
}

/// How a campaign reaches people.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Paid(Paid),
    Message(Message),
    /// Posters that cost money and bring no visit.
    Posters {
        fen_a_day: i64,
    },
}

/// A campaign that pays for visits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paid {
    /// Share among the paid visits of a day.
    pub(super) weight: u32,
    /// Purchases it causes, per million visits.
    pub(super) causes: u64,
    pub(super) fen_a_click: i64,
    pub(super) currency: Currency,
    pub(super) source: &'static str,
    pub(super) medium: &'static str,
    /// Conversions the platform claims, per thousand clicks.
    pub(super) claims: u64,
    pub(super) has_coupon: bool,
}

/// A campaign that writes to chosen customers once, on its first day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message {
    /// Customers chosen, of a thousand who may be written to.
    pub(super) audience: u64,
    /// Purchases it causes, per million customers written to.
    pub(super) lift: u64,
    /// Readers, of a thousand.
    pub(super) opens: u64,
    /// Readers who click, of a thousand.
    pub(super) clicks: u64,
    /// In hundredths of a fen.
    pub(super) piece_price: i64,
    /// In fen; some campaigns cost nothing at all.
    pub(super) fee: i64,
    pub(super) has_coupon: bool,
}

impl Campaign {
    pub(super) fn runs_on(&self, day: u32) -> bool {
        (self.first_day..=self.last_day).contains(&day)
    }

    /// Returns the purchases the campaign causes, per million visits or messages.
    pub(super) fn true_effect(&self) -> u64 {
        match self.kind {
            Kind::Paid(paid) => paid.causes,
            Kind::Message(message) => message.lift,
            Kind::Posters { .. } => 0,
        }
    }

    pub(super) fn has_coupon(&self) -> bool {
        match self.kind {
            Kind::Paid(paid) => paid.has_coupon,
            Kind::Message(message) => message.has_coupon,
            Kind::Posters { .. } => false,
        }
    }

    /// Returns the source and medium in the links of the campaign.
    pub(super) fn link(&self) -> (&'static str, &'static str) {
        match self.kind {
            Kind::Paid(paid) => (paid.source, paid.medium),
            Kind::Message(_) => ("crm", self.channel),
            Kind::Posters { .. } => ("posters", "offline"),
        }
    }
}

/// What a campaign is made from.
struct Template {
    name: &'static str,
    channel: &'static str,
    /// First and last day within a round; none for those that always run.
    within_round: Option<(u32, u32)>,
    budget: i64,
    kind: Kind,
}

/// Returns the campaigns that begin within the period.
pub(super) fn calendar_of_campaigns(days: u32) -> Vec<Campaign> {
    let mut campaigns = Vec::new();
    for template in TEMPLATES {
        let Some((first, last)) = template.within_round else {
            push(&mut campaigns, &template, None, (0, days - 1));
            continue;
        };
        for round in 0..days.div_ceil(ROUND) {
            let (first, last) = (round * ROUND + first, round * ROUND + last);
            if first < days {
                push(&mut campaigns, &template, Some(round), (first, last));
            }
        }
    }
    campaigns
}

fn push(
    campaigns: &mut Vec<Campaign>,
    template: &Template,
    round: Option<u32>,
    (first_day, last_day): (u32, u32),
) {
    let name = match round {
        Some(round) => format!("{} {}", template.name, round + 1),
        None => template.name.to_owned(),
    };
    campaigns.push(Campaign {
        id: format!("c{:03}", campaigns.len() + 1),
        name,
        channel: template.channel,
        first_day,
        last_day,
        budget: template.budget,
        kind: template.kind,
    });
}

const SEARCH: Paid = Paid {
    weight: 8,
    causes: 60_000,
    fen_a_click: 140,
    currency: Currency::Cny,
    source: "baidu",
    medium: "cpc",
    claims: 90,
    has_coupon: false,
};

const RETARGETING: Paid = Paid {
    weight: 6,
    causes: 0,
    fen_a_click: 260,
    currency: Currency::Usd,
    source: "adnet",
    medium: "display",
    claims: 160,
    has_coupon: false,
};

const PARTNERS: Paid = Paid {
    weight: 3,
    causes: 20_000,
    fen_a_click: 120,
    currency: Currency::Hkd,
    source: "partners",
    medium: "affiliate",
    claims: 60,
    has_coupon: true,
};

const SOCIAL: Paid = Paid {
    weight: 5,
    causes: 30_000,
    fen_a_click: 180,
    currency: Currency::Cny,
    source: "douyin",
    medium: "paid_social",
    claims: 110,
    has_coupon: false,
};

const MINI_PROGRAM: Paid = Paid {
    weight: 4,
    causes: 50_000,
    fen_a_click: 60,
    currency: Currency::Cny,
    source: "wechat",
    medium: "mini_program",
    claims: 50,
    has_coupon: true,
};

const NEWSLETTER: Message = Message {
    audience: 550,
    lift: 50_000,
    opens: 340,
    clicks: 220,
    piece_price: 400,
    fee: 12_000,
    has_coupon: true,
};

const WIN_BACK: Message = Message {
    audience: 350,
    lift: 0,
    opens: 220,
    clicks: 80,
    piece_price: 400,
    fee: 9_000,
    has_coupon: false,
};

const FLASH_SALE: Message = Message {
    audience: 600,
    lift: 40_000,
    opens: 0,
    clicks: 0,
    piece_price: 900,
    fee: 5_000,
    has_coupon: true,
};

const PUSH: Message = Message {
    audience: 500,
    lift: 4_000,
    opens: 90,
    clicks: 500,
    piece_price: 0,
    fee: 0,
    has_coupon: false,
};

const TEMPLATES: [Template; 10] = [
    Template {
        name: "品牌搜索",
        channel: "paid_search",
        within_round: None,
        budget: 400_000,
        kind: Kind::Paid(SEARCH),
    },
    Template {
        name: "再营销展示",
        channel: "display",
        within_round: None,
        budget: 500_000,
        kind: Kind::Paid(RETARGETING),
    },
    Template {
        name: "联盟伙伴",
        channel: "affiliate",
        within_round: None,
        budget: 150_000,
        kind: Kind::Paid(PARTNERS),
    },
    Template {
        name: "地铁海报",
        channel: "display",
        within_round: Some((3, 16)),
        budget: 40_000,
        kind: Kind::Posters { fen_a_day: 24_000 },
    },
    Template {
        name: "抖音上新",
        channel: "paid_social",
        within_round: Some((5, 18)),
        budget: 120_000,
        kind: Kind::Paid(SOCIAL),
    },
    Template {
        name: "微信小程序",
        channel: "wechat",
        within_round: Some((12, 27)),
        budget: 60_000,
        kind: Kind::Paid(MINI_PROGRAM),
    },
    Template {
        name: "会员周刊",
        channel: "email",
        within_round: Some((2, 8)),
        budget: 10_000,
        kind: Kind::Message(NEWSLETTER),
    },
    Template {
        name: "沉睡唤醒",
        channel: "email",
        within_round: Some((15, 21)),
        budget: 8_000,
        kind: Kind::Message(WIN_BACK),
    },
    Template {
        name: "限时闪购",
        channel: "sms",
        within_round: Some((9, 15)),
        budget: 20_000,
        kind: Kind::Message(FLASH_SALE),
    },
    Template {
        name: "签到提醒",
        channel: "push",
        within_round: Some((7, 13)),
        budget: 0,
        kind: Kind::Message(PUSH),
    },
];
