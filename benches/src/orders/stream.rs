//! The messages, one after another.

use std::ops::Range;
use std::sync::LazyLock;

use chrono::{DateTime, SecondsFormat, TimeDelta};
use tpchgen::distribution::Distributions;
use tpchgen::generators::{self, OrderGenerator, OrderGeneratorIterator};
use tpchgen::text::TextPool;

use super::{Arrival, Message, Order};

/// 2026-01-01T00:00:00Z: the sequence of the first message.
const FIRST_SEQUENCE: i64 = 1_767_225_600;
/// Seconds from one message to the next.
const STEP: i64 = 10;
/// Seconds a late message is older than its key's current version: less than [`STEP`], so that it never has the
/// sequence of another version that could win.
const LATE_BY: i64 = 5;

/// Orders of one TPC-H scale factor.
const ORDERS_PER_SCALE: u64 = 1_500_000;

/// The text that comments are cut from. TPC-H's own holds 300 MB and takes seconds to make; this is plenty for comments
/// that hardly ever repeat.
static COMMENTS: LazyLock<TextPool> = LazyLock::new(|| TextPool::new(16 << 20, Distributions::static_default()));

/// The first `count` messages of the workload.
///
/// Up to 1,500,000 messages, a smaller workload is the beginning of a larger one.
pub fn messages(count: u64) -> Messages {
    let scale = count.div_ceil(ORDERS_PER_SCALE).max(1);
    let orders = OrderGenerator::new_with_distributions_and_text_pool(
        scale as f64,
        1,
        1,
        Distributions::static_default(),
        &COMMENTS,
    );
    Messages { places: 0..count, orders: orders.iter(), newest: Vec::new() }
}

/// The iterator [`messages`] returns. Besides the text of the comments it keeps eight bytes a key.
#[derive(Debug)]
pub struct Messages {
    places: Range<u64>,
    orders: OrderGeneratorIterator<'static>,
    /// The greatest sequence sent of each key, in the order the keys were first sent.
    newest: Vec<i64>,
}

impl Iterator for Messages {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        let place = self.places.next()?;
        let arrival = arrival(place);
        let mut random = Random(place);
        let on_time = FIRST_SEQUENCE + place as i64 * STEP;
        let (ordinal, sequence) = match arrival {
            Arrival::First => self.first(on_time),
            Arrival::Update => self.update(on_time, &mut random)?,
            Arrival::Late => self.late(&mut random)?,
        };
        // TPC-H counts its orders from one.
        let key = OrderGenerator::make_order_key(ordinal as i64 + 1);
        Some(Message { arrival, sequence, data: order(self.orders.next()?, key, sequence, &mut random) })
    }
}

/// Each gives the ordinal of a key and the sequence it is sent with. The first message of all brings a key, so there is one
/// to choose whenever an update is due.
impl Messages {
    fn first(&mut self, on_time: i64) -> (usize, i64) {
        self.newest.push(on_time);
        (self.newest.len() - 1, on_time)
    }

    fn update(&mut self, on_time: i64, random: &mut Random) -> Option<(usize, i64)> {
        let ordinal = random.below(self.newest.len());
        *self.newest.get_mut(ordinal)? = on_time;
        Some((ordinal, on_time))
    }

    fn late(&self, random: &mut Random) -> Option<(usize, i64)> {
        let ordinal = random.below(self.newest.len());
        Some((ordinal, self.newest.get(ordinal)? - LATE_BY))
    }
}

/// Workloads of any size have the same shares, because the place of a message decides.
fn arrival(place: u64) -> Arrival {
    match (place % 50, place % 5) {
        (49, _) => Arrival::Late,
        (_, 4) => Arrival::Update,
        _ => Arrival::First,
    }
}

/// Every message takes the values of an order of its own, so an update differs from what it replaces.
fn order(values: generators::Order<'static>, key: i64, sequence: i64, random: &mut Random) -> Order {
    let updated_at = DateTime::UNIX_EPOCH + TimeDelta::seconds(sequence);
    Order {
        o_orderkey: key,
        o_custkey: values.o_custkey,
        o_orderstatus: values.o_orderstatus.as_str(),
        o_totalprice_cents: values.o_totalprice.into_inner(),
        o_orderdate: values.o_orderdate.to_string(),
        o_orderpriority: values.o_orderpriority,
        o_clerk: values.o_clerk.to_string(),
        o_shippriority: values.o_shippriority,
        o_comment: values.o_comment,
        o_updated_at: updated_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        o_discount: random.below(10_000) as f64 / 10_000.0,
        o_is_gift: is_gift(random.below(16)),
    }
}

fn is_gift(one_of_sixteen: usize) -> Option<bool> {
    match one_of_sixteen {
        0 => None,
        1..=3 => Some(true),
        _ => Some(false),
    }
}

/// Numbers that look random and depend only on the place of the message (the SplitMix64 generator).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        // The high half of the product is below `bound`, so it fits.
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}
