//! What SQL destinations share: dialect, quoting, statements
