//! The messages, one after another.

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
    Messages { orders: orders.iter(), left: count, index: 0, newest: Vec::new() }
}

/// The iterator [`messages`] returns. Besides the text of the comments it keeps eight bytes a key.
#[derive(Debug)]
pub struct Messages {
    orders: OrderGeneratorIterator<'static>,
    left: u64,
    index: u64,
    /// The greatest sequence sent of each key, in the order the keys were first sent.
    newest: Vec<i64>,
}

impl Iterator for Messages {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        self.left = self.left.checked_sub(1)?;
        let arrival = arrival(self.index);
        let mut random = Random(self.index);
        let (key, sequence) = self.version(arrival, &mut random)?;
        let data = order(self.orders.next()?, key, sequence, &mut random);
        self.index += 1;
        Some(Message { arrival, sequence, data })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).ok();
        (left.unwrap_or(usize::MAX), left)
    }
}

impl Messages {
    /// The key the next message is about and the sequence it has.
    fn version(&mut self, arrival: Arrival, random: &mut Random) -> Option<(i64, i64)> {
        let on_time = FIRST_SEQUENCE + i64::try_from(self.index).ok()? * STEP;
        if arrival == Arrival::First {
            self.newest.push(on_time);
            return Some((key(self.newest.len())?, on_time));
        }
        let place = random.below(self.newest.len());
        let newest = self.newest.get_mut(place)?;
        if arrival == Arrival::Late {
            return Some((key(place + 1)?, *newest - LATE_BY));
        }
        *newest = on_time;
        Some((key(place + 1)?, on_time))
    }
}

/// Workloads of any size have the same shares, because the place of a message decides.
fn arrival(index: u64) -> Arrival {
    match (index % 50, index % 5) {
        (49, _) => Arrival::Late,
        (_, 4) => Arrival::Update,
        _ => Arrival::First,
    }
}

/// TPC-H's key of its `ordinal`th order, counted from one.
fn key(ordinal: usize) -> Option<i64> {
    i64::try_from(ordinal).ok().map(OrderGenerator::make_order_key)
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
