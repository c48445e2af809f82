//! The map that the simulated customers and terminals are put on: countries, merchants, cards.
//!
//! The handbook's square is cut into nine countries. Terminals belong to merchants of their country; customers pay in the currency of
//! theirs. So whoever lives near a border pays abroad now and then, and the exchange follows from the map. Everything here follows from
//! the dataset and the seed.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::handbook::Dataset;

/// Countries in a row and in a column of the map.
const SIDE: usize = 3;
/// The side of the handbook's square.
const SQUARE: f64 = 100.0;
/// Terminals for which one merchant is made.
const TERMINALS_A_MERCHANT: usize = 100;
/// Most merchants of a country. The last of so many is a foreign chain, which settles in a currency of its own.
const MOST_MERCHANTS: usize = 11;
/// Customers for which one has a balance beside the card.
const CUSTOMERS_A_WALLET: usize = 40;
/// Fewest and most customers with a balance.
const WALLETS: (usize, usize) = (4, 100);
/// Cards that are drawn from this many.
const PER_MILLE: u32 = 1_000;

/// A country of the map, left to right and top to bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Country {
    /// ISO 3166-1 alpha-2.
    pub(super) code: &'static str,
    /// Of its people and most of its merchants.
    pub(super) currency: &'static str,
    /// Of the foreign chain among its merchants.
    pub(super) chain_currency: &'static str,
}

/// The countries. Customers' currencies are those that the handbook's rule of large amounts can be told in.
pub(super) const COUNTRIES: [Country; SIDE * SIDE] = [
    country("IE", "EUR", "NOK"),
    country("GB", "GBP", "USD"),
    country("NL", "EUR", "DKK"),
    country("US", "USD", "CAD"),
    country("FR", "EUR", "JPY"),
    country("DE", "EUR", "PLN"),
    country("ES", "EUR", "SEK"),
    country("CH", "CHF", "HUF"),
    country("IT", "EUR", "CZK"),
];

/// Somebody who takes payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Merchant {
    pub(super) name: String,
    pub(super) country: usize,
    pub(super) settlement_currency: &'static str,
}

/// How a card behaves at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behaviour {
    Works,
    /// The bank asks its holder, every time.
    Challenge,
    NoFunds,
    Expired,
    DoNotHonor,
    /// The provider fails once for each payment, without effect.
    FailsOnce,
    /// The provider takes the payment and cuts the connection.
    CutsAfterwards,
    /// Each webhook comes twice.
    TellsTwice,
}

/// Where everybody is.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) merchants: Vec<Merchant>,
    /// By terminal: its merchant.
    pub(super) merchant_of: Vec<usize>,
    /// By customer: the country.
    pub(super) home_of: Vec<usize>,
    /// By customer: the card.
    pub(super) cards: Vec<Behaviour>,
    /// How many of the first customers have a balance here too.
    pub(super) wallets: usize,
}

// === impl Behaviour ===

impl Behaviour {
    /// Shares of all cards, per mille; the rest works.
    const SHARES: [(Self, u32); 7] = [
        (Self::NoFunds, 16),
        (Self::Expired, 4),
        (Self::DoNotHonor, 4),
        (Self::Challenge, 10),
        (Self::FailsOnce, 6),
        (Self::CutsAfterwards, 4),
        (Self::TellsTwice, 6),
    ];

    fn draw(rng: &mut StdRng) -> Self {
        let mut left = rng.random_range(0..PER_MILLE);
        for (behaviour, share) in Self::SHARES {
            if left < share {
                return behaviour;
            }
            left -= share;
        }
        Self::Works
    }

    /// What the simulated provider's tokens of such cards begin with.
    pub(super) const fn token(self) -> &'static str {
        match self {
            Self::Works => "tok_ok",
            Self::Challenge => "tok_3ds_challenge",
            Self::NoFunds => "tok_declined_insufficient_funds",
            Self::Expired => "tok_declined_expired",
            Self::DoNotHonor => "tok_declined_do_not_honor",
            Self::FailsOnce => "tok_error_500_then_ok",
            Self::CutsAfterwards => "tok_timeout_with_effect_cut",
            Self::TellsTwice => "tok_duplicate_webhook",
        }
    }

    /// True when the bank behind it pays.
    pub(super) const fn pays(self) -> bool {
        match self {
            Self::Works
            | Self::Challenge
            | Self::FailsOnce
            | Self::CutsAfterwards
            | Self::TellsTwice => true,
            Self::NoFunds | Self::Expired | Self::DoNotHonor => false,
        }
    }
}

// === impl World ===

impl World {
    /// The map of a dataset.
    pub(super) fn of(dataset: &Dataset, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let each = (dataset.terminals.len() / TERMINALS_A_MERCHANT / COUNTRIES.len())
            .clamp(1, MOST_MERCHANTS);
        let mut merchants = Vec::new();
        for place in 0..COUNTRIES.len() {
            merchants.extend((0..each).map(|number| merchant(place, number)));
        }
        let merchant_of = dataset
            .terminals
            .iter()
            .map(|terminal| country_at(terminal.x, terminal.y) * each + rng.random_range(0..each))
            .collect();
        let home_of = dataset
            .customers
            .iter()
            .map(|customer| country_at(customer.x, customer.y))
            .collect();
        let cards = dataset
            .customers
            .iter()
            .map(|_| Behaviour::draw(&mut rng))
            .collect();
        let customers = dataset.customers.len();
        let (fewest, most) = WALLETS;
        Self {
            merchants,
            merchant_of,
            home_of,
            cards,
            wallets: (customers / CUSTOMERS_A_WALLET)
                .clamp(fewest, most)
                .min(customers),
        }
    }

    /// The country of a customer.
    pub(super) fn home(&self, customer: u32) -> Country {
        let place = index(customer).and_then(|customer| self.home_of.get(customer));
        country_of(place.copied().unwrap_or(0))
    }

    /// The merchant of a terminal, by place.
    pub(super) fn merchant_at(&self, terminal: u32) -> usize {
        let merchant = index(terminal).and_then(|terminal| self.merchant_of.get(terminal));
        merchant.copied().unwrap_or(0)
    }

    /// The country of a terminal.
    pub(super) fn abroad(&self, terminal: u32) -> Country {
        let merchant = self.merchants.get(self.merchant_at(terminal));
        country_of(merchant.map_or(0, |merchant| merchant.country))
    }

    /// How a customer's card behaves.
    pub(super) fn card(&self, customer: u32) -> Behaviour {
        let card = index(customer).and_then(|customer| self.cards.get(customer));
        card.copied().unwrap_or(Behaviour::Works)
    }
}

// === free functions ===

const fn country(
    code: &'static str,
    currency: &'static str,
    chain_currency: &'static str,
) -> Country {
    Country {
        code,
        currency,
        chain_currency,
    }
}

/// The country at a place of [`COUNTRIES`].
pub(super) fn country_of(place: usize) -> Country {
    COUNTRIES.get(place).copied().unwrap_or(COUNTRIES[0])
}

/// A number of the dataset as a place.
pub(super) fn index(number: u32) -> Option<usize> {
    usize::try_from(number).ok()
}

fn country_at(x: f64, y: f64) -> usize {
    band(y) * SIDE + band(x)
}

/// Which third of the square.
fn band(coordinate: f64) -> usize {
    let third = SQUARE / 3.0;
    usize::from(coordinate >= third) + usize::from(coordinate >= 2.0 * third)
}

fn merchant(place: usize, number: usize) -> Merchant {
    const ADJECTIVES: [&str; 9] = [
        "Green",
        "Old Harbour",
        "Golden",
        "North Star",
        "Little",
        "Grand",
        "Sunny",
        "Alpine",
        "Bella",
    ];
    const TRADES: [&str; MOST_MERCHANTS] = [
        "Grocer",
        "Books",
        "Bakery",
        "Fuel",
        "Pharmacy",
        "Cinema",
        "Outfitters",
        "Hardware",
        "Trains",
        "Coffee",
        "World Stores",
    ];
    let home = country_of(place);
    let is_chain = number + 1 == MOST_MERCHANTS;
    let adjective = ADJECTIVES.get(place).copied().unwrap_or_default();
    let trade = TRADES.get(number).copied().unwrap_or_default();
    Merchant {
        name: format!("{adjective} {trade}"),
        country: place,
        settlement_currency: if is_chain {
            home.chain_currency
        } else {
            home.currency
        },
    }
}
