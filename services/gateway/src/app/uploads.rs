//! Places of bodies that are still on their way.
//!
//! A body that is slow to come holds no place among the requests that are handled, and one address never holds all places here.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{config::Bodies, error::Error};

/// The places.
#[derive(Debug)]
pub(crate) struct Uploads {
    at_once: usize,
    at_once_per_address: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_address: HashMap<String, usize>,
}

/// A place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    address: String,
    taken: Arc<Mutex<Taken>>,
}

// === impl Uploads ===

impl Uploads {
    pub(crate) fn new(config: &Bodies) -> Self {
        Self {
            at_once: config.at_once,
            at_once_per_address: config.at_once_per_address,
            taken: Arc::default(),
        }
    }

    /// A place for a body from `address`.
    ///
    /// # Errors
    /// When the address has all that it may have, or there is none left.
    pub(crate) fn take(&self, address: &str) -> Result<Place, Error> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = taken.by_address.get(address).copied().unwrap_or_default();
        if of_address >= self.at_once_per_address {
            return Err(Error::TooManyUploads);
        }
        if taken.all >= self.at_once {
            return Err(Error::Overloaded);
        }
        taken.all += 1;
        taken.by_address.insert(address.to_owned(), of_address + 1);
        Ok(Place {
            address: address.to_owned(),
            taken: Arc::clone(&self.taken),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        if let Some(of_address) = taken.by_address.get_mut(&self.address) {
            *of_address = of_address.saturating_sub(1);
            if *of_address == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}
