//! What one message says.

use serde::{Serialize, Serializer};

/// An upsert of one order, in the Import API's form when serialized.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename = "upsert")]
pub struct Message {
    /// How it stands to the messages of the same key before it. Not sent.
    #[serde(skip)]
    pub arrival: Arrival,
    /// The version of the key, in seconds since 1970-01-01T00:00:00Z: the greatest of a key wins.
    pub sequence: i64,
    /// The record.
    pub data: Order,
}

/// How a message stands to those of the same key before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It is the first of its key.
    First,
    /// Its sequence is greater than all before it: it replaces the key's record.
    Update,
    /// Its sequence is lower than the greatest before it: it changes nothing.
    Late,
}

/// One version of an order; the fields are named as the columns are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Order {
    /// The key: unique, and sparse as TPC-H has it (eight keys in use, then 24 that are not).
    pub o_orderkey: i64,
    /// The customer.
    pub o_custkey: i64,
    /// `F`, `O` or `P`.
    pub o_orderstatus: &'static str,
    /// The price in cents; sent as a number with at most two digits after the point, a multiple of 0.01.
    #[serde(rename = "o_totalprice", serialize_with = "as_price")]
    pub o_totalprice_cents: i64,
    /// A day, as `1996-01-02`.
    pub o_orderdate: String,
    /// One of five, from `1-URGENT` to `5-LOW`.
    pub o_orderpriority: &'static str,
    /// `Clerk#` and nine digits.
    pub o_clerk: String,
    /// Always 0, as TPC-H has it.
    pub o_shippriority: i32,
    /// English-like text of 19 to 78 bytes.
    pub o_comment: &'static str,
    /// The message's sequence as an RFC 3339 moment in UTC.
    pub o_updated_at: String,
    /// A fraction from 0 to below 1, with at most four digits after the point.
    pub o_discount: f64,
    /// One in sixteen is null.
    pub o_is_gift: Option<bool>,
}

// The double nearest to a price is printed as the price itself: the shortest text that reads back as that double.
fn as_price<S: Serializer>(cents: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(*cents as f64 / 100.0)
}
