//! Composes intake, queue, preparation and loading
