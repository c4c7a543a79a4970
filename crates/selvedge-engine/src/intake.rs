//! The way of a batch into the queue: decode, which checks it, then redact if its table has rules, then seal, then append.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rayon::prelude::*;
use selvedge_core::TableName;
use selvedge_prepare::{Records, Redaction, Refusal, Schemas, decode, decode_rejecting, redact, redacted_schema};
use selvedge_queue::{Append, Appended, Queue, SealedBody};

use crate::backlog::{Admission, Backlog};
use crate::bad_records::{BadRecords, BadRecordsSettings};
use crate::batch::{Batch, Origin};
use crate::error::{EngineError, EngineErrorKind};
use crate::receipt::Receipt;

/// What batches are checked by and freed of before they are stored.
pub(crate) struct Intake {
    pub(crate) schemas: Arc<Schemas>,
    /// Of the tables that have rules for columns.
    pub(crate) redactions: HashMap<TableName, Redaction>,
    pub(crate) bad_records: BadRecordsSettings,
    pub(crate) backlog: Arc<Backlog>,
}

/// A batch that is acceptable, ready to be appended.
pub(crate) struct Accepted {
    append: Append,
    records: Arc<Records>,
}

impl Accepted {
    /// What it takes in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.append.body.stored_bytes() + self.records.memory_bytes()
    }
}

/// The longest body of a batch: 256 MiB. The Import API's own limit is far below.
const BODY_BYTES_MAX: usize = 256 << 20;

type Decode = fn(&[u8], &Schemas) -> Result<Records, Refusal>;

impl Intake {
    /// Checks a batch and makes it ready.
    pub(crate) fn accept(&self, batch: Batch) -> Result<Accepted, EngineError> {
        let body = batch.body();
        if body.len() > BODY_BYTES_MAX {
            let message =
                format!("a batch of {} bytes is too large; send at most {BODY_BYTES_MAX} at once", body.len());
            return Err(EngineError::new(EngineErrorKind::Refused, message));
        }
        let decode = self.decoder(&batch);
        let records = decode(&body, &self.schemas).map_err(EngineError::refused)?;
        let table = TableName::new(batch.integration.clone(), records.table.as_str())
            .map_err(|error| EngineError::new(EngineErrorKind::Refused, error.to_string()))?;
        let (body, records) = match self.redactions.get(&table) {
            Some(redaction) => match batch.origin {
                Origin::Sender => self.redacted(&body, redaction, decode)?,
                Origin::Queue => self.redacted(&body, &redaction.exclusions(), decode)?,
            },
            None => (body, records),
        };
        self.backlog.check_room(&table, body.len() as u64)?;
        let append = Append {
            table,
            body: SealedBody::seal(&body),
            records: records.len() as u64,
            received_at: now(),
            repeats: batch.repeats,
            cursor: batch.cursor.clone(),
        };
        Ok(Accepted { append, records: Arc::new(records) })
    }

    /// How a batch is checked. It is decoded by [`decode_rejecting`] when it is loaded, which finds the same in what is accepted
    /// here.
    fn decoder(&self, batch: &Batch) -> Decode {
        match self.bad_records.of(batch) {
            BadRecords::RefuseBatch => decode,
            BadRecords::RejectEach => decode_rejecting,
        }
    }

    /// The body as it is stored, decoded: what is loaded is always made of that.
    fn redacted(
        &self,
        body: &[u8],
        redaction: &Redaction,
        decode: Decode,
    ) -> Result<(Cow<'static, [u8]>, Records), EngineError> {
        let body = redact(body, redaction).map_err(EngineError::refused)?;
        let records = decode(&body, &self.schemas).map_err(EngineError::refused_redacted)?;
        Ok((body.into(), records))
    }

    /// A JSON Schema for records of a table as they are stored.
    pub(crate) fn redacted_schema(&self, table: &TableName, schema: &str) -> Result<String, EngineError> {
        match self.redactions.get(table) {
            Some(redaction) => redacted_schema(schema, redaction).map_err(EngineError::refused),
            None => Ok(schema.to_owned()),
        }
    }

    /// Checks batches side by side, each on one thread. Gives those before the first that is refused, and its refusal.
    pub(crate) fn accept_all(&self, batches: Vec<Batch>) -> (Vec<Accepted>, Option<EngineError>) {
        let results: Vec<_> = batches.into_par_iter().map(|batch| self.accept(batch)).collect();
        let mut accepted = Vec::with_capacity(results.len());
        for result in results {
            match result {
                Ok(batch) => accepted.push(batch),
                Err(error) => return (accepted, Some(error)),
            }
        }
        (accepted, None)
    }
}

/// Appends batches in order; they are durable when it returns.
pub(crate) fn append(
    accepted: Vec<Accepted>,
    queue: &dyn Queue,
    backlog: &Arc<Backlog>,
) -> Result<Vec<Receipt>, EngineError> {
    let known = |Accepted { append, records }: &Accepted| {
        (append.table.clone(), append.body.body_bytes() as u64, Arc::clone(records))
    };
    let known: Vec<(TableName, u64, Arc<Records>)> = accepted.iter().map(known).collect();
    let appended = queue.append(accepted.into_iter().map(|accepted| accepted.append).collect())?;
    let admission = |(appended, (table, body_bytes, records)): (Appended, _)| {
        let Appended { batch, repeated } = appended;
        Admission { table, batch, repeated, body_bytes, records }
    };
    let admissions: Vec<Admission> = appended.into_iter().zip(known).map(admission).collect();
    let receipt = |admission: &Admission| Receipt {
        batch: admission.batch,
        table: admission.table.clone(),
        records: admission.records.len() as u64,
        rejected: admission.records.rejected.len() as u64,
        repeated: admission.repeated,
        backlog: Arc::clone(backlog),
    };
    let receipts = admissions.iter().map(receipt).collect();
    backlog.admit(admissions);
    Ok(receipts)
}

/// Microseconds since 1970 (UTC).
pub(crate) fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}
