//! The families of exports.

/// A family of exports; its name is that of the source in the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    WebEvents,
    AppEvents,
    OnlineOrders,
    OnlineOrderLines,
    StoreSales,
    Campaigns,
    CampaignCosts,
    CampaignSends,
    CrmCustomers,
    Products,
    ExchangeRates,
}

impl Source {
    pub(super) const ALL: [Self; 11] = [
        Self::WebEvents,
        Self::AppEvents,
        Self::OnlineOrders,
        Self::OnlineOrderLines,
        Self::StoreSales,
        Self::Campaigns,
        Self::CampaignCosts,
        Self::CampaignSends,
        Self::CrmCustomers,
        Self::Products,
        Self::ExchangeRates,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::WebEvents => "web_events",
            Self::AppEvents => "app_events",
            Self::OnlineOrders => "online_orders",
            Self::OnlineOrderLines => "online_order_lines",
            Self::StoreSales => "store_sales",
            Self::Campaigns => "campaigns",
            Self::CampaignCosts => "campaign_costs",
            Self::CampaignSends => "campaign_sends",
            Self::CrmCustomers => "crm_customers",
            Self::Products => "products",
            Self::ExchangeRates => "exchange_rates",
        }
    }

    /// Returns the folder below the raw root.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::WebEvents => "web",
            Self::AppEvents => "app",
            Self::OnlineOrders => "orders",
            Self::OnlineOrderLines => "order_lines",
            Self::StoreSales => "store",
            Self::CampaignSends => "sends",
            Self::CrmCustomers => "crm",
            Self::Campaigns | Self::CampaignCosts | Self::Products | Self::ExchangeRates => {
                self.name()
            }
        }
    }

    /// Returns the header line of CSV exports; the others are gzipped NDJSON.
    pub(super) fn header(self) -> Option<&'static str> {
        match self {
            Self::StoreSales => Some(
                "receipt_id,line_no,store_id,sold_at,kind,original_receipt_id,loyalty_card,phone,sku,quantity,unit_price,discount,amount",
            ),
            Self::Campaigns => {
                Some("campaign_id,name,channel,start_date,end_date,budget,updated_at")
            }
            Self::CampaignCosts => Some(
                "date,campaign_id,channel,currency,cost,impressions,clicks,platform_conversions,reported_at",
            ),
            Self::CrmCustomers => Some(
                "user_id,name,email,second_email,phone,loyalty_card,birthday,gender,city,consent_email,consent_sms,created_at,updated_at",
            ),
            Self::Products => Some("sku,name,category,unit_cost,price,updated_at"),
            Self::ExchangeRates => Some("date,currency,rate"),
            Self::WebEvents
            | Self::AppEvents
            | Self::OnlineOrders
            | Self::OnlineOrderLines
            | Self::CampaignSends => None,
        }
    }

    /// Returns whether an export is made on days without rows too.
    pub(super) fn is_daily(self) -> bool {
        !matches!(self, Self::Campaigns | Self::CampaignSends | Self::CrmCustomers | Self::Products)
    }

    /// Returns how many of a thousand rows are delivered on a later day.
    pub(super) fn late(self) -> u64 {
        match self {
            Self::WebEvents | Self::AppEvents => 6,
            Self::StoreSales => 10,
            Self::OnlineOrders => 4,
            _ => 0,
        }
    }

    /// Returns how many of a thousand rows are delivered twice in one file.
    pub(super) fn repeated(self) -> u64 {
        match self {
            Self::Campaigns | Self::Products | Self::ExchangeRates => 0,
            _ => 5,
        }
    }

    /// Returns whether parts of a day's export are delivered again on the next day.
    pub(super) fn is_redelivered(self) -> bool {
        matches!(
            self,
            Self::WebEvents
                | Self::AppEvents
                | Self::OnlineOrders
                | Self::OnlineOrderLines
                | Self::StoreSales
        )
    }
}
