//! Withdrawals: a transaction holds the money, settlement sends it and says what the bank did.

use paymesh_kernel::id::UserId;
use paymesh_proto::{
    settlement::v1::{self as wire, PayoutState as State},
    transaction::v1::{
        Transaction, TransactionKind, TransactionSnapshot, TransactionStatus as Status,
        TransactionUpdated,
    },
};

use crate::world::{World, money, worlds};

impl World {
    async fn withdraw(&mut self, destination: &str) -> String {
        let snapshot = TransactionSnapshot {
            kind: TransactionKind::Withdrawal.into(),
            payer_user_id: self.harness.platform.ids.next::<UserId>().to_string(),
            bank_destination_token: destination.to_owned(),
            ..TransactionSnapshot::default()
        };
        self.goes_to_bank(snapshot).await
    }

    /// A transaction holds 42.00 that go to a bank.
    pub(crate) async fn goes_to_bank(&mut self, snapshot: TransactionSnapshot) -> String {
        let id = self.new_id("txn");
        let known = Transaction {
            id: id.clone(),
            status: Status::Processing.into(),
            version: 4,
            ..Transaction::default()
        };
        let transactions = self.others.transactions.clone();
        transactions.lock().known.insert(id.clone(), known);
        let fact = TransactionUpdated {
            transaction: Some(TransactionSnapshot {
                transaction_id: id.clone(),
                status: Status::Processing.into(),
                amount: money(4_200, "EUR"),
                payer_account_id: self.new_id("acct"),
                ..snapshot
            }),
            ..TransactionUpdated::default()
        };
        self.tell(&id, 1, fact.clone()).await;
        // The same is told again when its status changes; it stays one payout.
        self.tell(&id, 2, fact).await;
        id
    }

    pub(crate) async fn withdrawn(&self, transaction: &str) -> Option<wire::Payout> {
        let request = wire::ListPayoutsRequest::default();
        let answer = self.staff(|mut client| async move { client.list_payouts(request).await });
        let payouts = answer.await.unwrap().payouts;
        assert!(payouts.len() <= 1, "{payouts:?}");
        payouts
            .into_iter()
            .find(|of| of.transaction_id == transaction)
    }
}

#[tokio::test]
async fn p6_a_withdrawal_is_sent_and_its_transaction_told() {
    for (destination, state, told) in [
        ("ben_anna", State::Sent, Status::Completed),
        ("ben_rejected", State::Failed, Status::Compensated),
    ] {
        for mut world in worlds().await {
            let transaction = world.withdraw(destination).await;
            world
                .eventually("the payout is where it should be", || async {
                    let payout = world.withdrawn(&transaction).await;
                    payout.is_some_and(|payout| payout.state() == state)
                })
                .await;
            world
                .eventually("the transaction is told", || async {
                    let told = world.others.transactions.lock().told.clone();
                    !told.is_empty()
                })
                .await;
            let payout = world.withdrawn(&transaction).await.unwrap();
            let records = world.others.transactions.lock().told.clone();
            assert_eq!(records, [(told, payout.id)]);
            // The reservation is the transaction's: the ledger is not asked.
            assert_eq!(world.others.ledger.lock().booked_calls, 0);
        }
    }
}
