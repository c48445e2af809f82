//! The chain of batches and proofs of the tree (RFC 6962).

use paymesh_kernel::Principal;

use super::App;
use crate::{
    domain::{
        TransferId,
        chain::BatchHead,
        leaf,
        tree::{
            Hash,
            proof::{Range, consistency, inclusion},
        },
    },
    error::Error,
    store::{self, Page},
};

/// Proof that a transfer is in the tree.
#[derive(Clone, Debug)]
pub struct InclusionProof {
    /// Its place.
    pub leaf_index: i64,
    /// What was hashed.
    pub leaf: Vec<u8>,
    /// Hashes from the leaf up.
    pub path: Vec<Hash>,
    /// The head that it is proven against.
    pub head: BatchHead,
}

/// Proof that a later tree only appended to an earlier one.
#[derive(Clone, Debug)]
pub struct ConsistencyProof {
    /// Hashes.
    pub path: Vec<Hash>,
    /// The earlier head.
    pub first: BatchHead,
    /// The later head.
    pub second: BatchHead,
}

impl App {
    /// A head of the chain; None is the newest.
    ///
    /// # Errors
    /// When there is no such height.
    pub async fn batch_head(&self, height: Option<i64>) -> Result<BatchHead, Error> {
        match height {
            None => Ok(store::proof::newest(&self.database).await?),
            Some(height) => {
                let found = store::proof::at_height(&self.database, height).await?;
                found.ok_or(Error::BatchNotFound)
            }
        }
    }

    /// Heads above a height, one more than the page holds if there are more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn batches(&self, page: Page<i64>) -> Result<Vec<BatchHead>, Error> {
        Ok(store::proof::batches(&self.database, page).await?)
    }

    /// Proves that a transfer of the tenant is in the tree of `size` leaves; None is the newest tree.
    ///
    /// # Errors
    /// When there is no such transfer, no head of that size, or the transfer was booked after it.
    pub async fn prove_transfer(
        &self,
        principal: &Principal,
        id: TransferId,
        size: Option<i64>,
    ) -> Result<InclusionProof, Error> {
        let mut found = store::transfer::find(&self.database, principal.tenant, &[id]).await?;
        let transfer = found.remove(&id).ok_or(Error::TransferNotFound)?;
        let head = self.head_of_size("size", size).await?;
        let ranges = inclusion(transfer.leaf_index, head.size).ok_or(Error::field(
            "size",
            "must be the size of a tree that holds the transfer",
        ))?;
        Ok(InclusionProof {
            leaf_index: transfer.leaf_index,
            leaf: leaf::encode(&transfer),
            path: self.hashes(ranges).await?,
            head,
        })
    }

    /// Proves that the tree of `second` leaves begins with that of `first`; None is the newest tree.
    ///
    /// # Errors
    /// When there is no head of one of the sizes, or the first is the larger one.
    pub async fn prove_consistency(
        &self,
        first: i64,
        second: Option<i64>,
    ) -> Result<ConsistencyProof, Error> {
        let second = self.head_of_size("second_size", second).await?;
        let first = self.head_of_size("first_size", Some(first)).await?;
        let ranges = consistency(first.size, second.size)
            .ok_or(Error::field("first_size", "must not be above second_size"))?;
        Ok(ConsistencyProof {
            path: self.hashes(ranges).await?,
            first,
            second,
        })
    }

    async fn head_of_size(
        &self,
        field: &'static str,
        size: Option<i64>,
    ) -> Result<BatchHead, Error> {
        let Some(size) = size else {
            return Ok(store::proof::newest(&self.database).await?);
        };
        let found = store::proof::at_size(&self.database, size).await?;
        found.ok_or(Error::field(
            field,
            "must be the size after a batch, as ListBatches gives it",
        ))
    }

    async fn hashes(&self, ranges: Vec<Range>) -> Result<Vec<Hash>, Error> {
        let mut hashes = Vec::with_capacity(ranges.len());
        for range in ranges {
            hashes.push(store::proof::root_of(&self.database, range).await?);
        }
        Ok(hashes)
    }
}
