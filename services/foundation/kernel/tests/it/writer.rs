//! K1 and K2: whole or not at all, and one bad set harms nobody else.

use std::sync::Arc;

use paymesh_kernel::{
    ChangeSet, CommitError, Database, Ids, SystemClock, Tasks, Writer,
    group_commit::GroupCommitConfig,
};
use paymesh_testkit::TestDatabase;
use sea_orm::EntityTrait as _;
use tokio::task::JoinSet;

use crate::book;

struct Shelf {
    database: Database,
    writer: Writer,
    ids: Ids,
    _tasks: Tasks,
}

impl Shelf {
    async fn new(test: &TestDatabase) -> Self {
        let database = test.database.clone();
        book::create_table(&database).await;
        let tasks = Tasks::new();
        Self {
            writer: Writer::start(
                "test",
                GroupCommitConfig::default(),
                database.clone(),
                &tasks,
            ),
            database,
            ids: Ids::new(Arc::new(SystemClock)),
            _tasks: tasks,
        }
    }

    async fn books(&self) -> Vec<book::Model> {
        book::Entity::find()
            .all(self.database.reader())
            .await
            .unwrap()
    }
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
    future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
}

fn insert(rows: &[&book::Model]) -> ChangeSet {
    let mut set = ChangeSet::new();
    rows.iter().for_each(|row| set.insert(*row));
    set
}

async fn rows_and_nulls_come_back_as_they_were(test: &TestDatabase) {
    let shelf = Shelf::new(test).await;
    let plain = book::Model::new(&shelf.ids, "a");
    let full = book::Model {
        note: Some("it's \"quoted\"".to_owned()),
        cover: Some(vec![0, 255, 7]),
        ..book::Model::new(&shelf.ids, "b")
    };
    shelf.writer.commit(insert(&[&plain, &full])).await.unwrap();
    let mut changed = ChangeSet::new();
    let renamed = book::Model {
        note: None,
        version: 2,
        ..full.clone()
    };
    changed.update(&renamed);
    shelf.writer.commit(changed).await.unwrap();
    let mut books = shelf.books().await;
    books.sort_by(|x, y| x.isbn.cmp(&y.isbn));
    assert_eq!(books, [plain.clone(), renamed]);
    let mut gone = ChangeSet::new();
    gone.delete(&plain);
    let replaced = book::Model {
        sold: 9,
        ..book::Model::new(&shelf.ids, "c")
    };
    gone.upsert(&replaced);
    shelf.writer.commit(gone).await.unwrap();
    let again = book::Model {
        sold: 10,
        ..replaced
    };
    let mut set = ChangeSet::new();
    set.upsert(&again);
    shelf.writer.commit(set).await.unwrap();
    assert_eq!(shelf.books().await.len(), 2);
}

async fn a_set_is_refused_whole_and_its_neighbours_are_not(test: &TestDatabase) {
    let shelf = Shelf::new(test).await;
    shelf
        .writer
        .commit(insert(&[&book::Model::new(&shelf.ids, "taken")]))
        .await
        .unwrap();
    let mut waiting = JoinSet::new();
    for n in 0..50 {
        let first = book::Model::new(&shelf.ids, &format!("book {n}"));
        let isbn = if n % 10 == 3 {
            "taken".to_owned()
        } else {
            format!("second {n}")
        };
        let second = book::Model::new(&shelf.ids, &isbn);
        let writer = shelf.writer.clone();
        waiting.spawn(async move { (n, writer.commit(insert(&[&first, &second])).await) });
    }
    while let Some(done) = waiting.join_next().await {
        let (n, result) = done.unwrap();
        if n % 10 == 3 {
            assert!(
                result.unwrap_err().is_duplicate("books_isbn_key"),
                "set {n}"
            );
        } else {
            assert_eq!(result, Ok(()), "set {n}");
        }
    }
    assert_eq!(shelf.books().await.len(), 1 + 45 * 2);
}

async fn of_many_updates_of_one_version_one_wins(test: &TestDatabase) {
    let shelf = Shelf::new(test).await;
    let original = book::Model::new(&shelf.ids, "hot");
    shelf.writer.commit(insert(&[&original])).await.unwrap();
    let mut waiting = JoinSet::new();
    for n in 1..=20 {
        let mut set = ChangeSet::new();
        set.update(&book::Model {
            sold: n,
            version: 2,
            ..original.clone()
        });
        set.insert(&book::Model::new(&shelf.ids, &format!("receipt {n}")));
        let writer = shelf.writer.clone();
        waiting.spawn(async move { writer.commit(set).await });
    }
    let results = waiting.join_all().await;
    let stale = results
        .iter()
        .filter(|result| **result == Err(CommitError::Stale))
        .count();
    assert_eq!(
        (
            results.iter().filter(|result| result.is_ok()).count(),
            stale
        ),
        (1, 19)
    );
    assert_eq!(
        shelf.books().await.len(),
        2,
        "a stale set leaves no receipt"
    );
}

async fn a_duplicate_primary_key_and_a_check_are_named(test: &TestDatabase) {
    let shelf = Shelf::new(test).await;
    let one = book::Model::new(&shelf.ids, "one");
    shelf.writer.commit(insert(&[&one])).await.unwrap();
    let same_id = book::Model {
        isbn: "two".to_owned(),
        ..one
    };
    let error = shelf.writer.commit(insert(&[&same_id])).await.unwrap_err();
    assert!(error.is_duplicate("books_pkey"), "{error}");
    let negative = book::Model {
        sold: -1,
        ..book::Model::new(&shelf.ids, "three")
    };
    let error = shelf.writer.commit(insert(&[&negative])).await.unwrap_err();
    assert!(matches!(error, CommitError::Check { .. }), "{error}");
}

async fn who_watches_a_table_is_told_of_commits_into_it_and_of_no_others(test: &TestDatabase) {
    let shelf = Shelf::new(test).await;
    let (books, others) = (shelf.writer.watch("books"), shelf.writer.watch("others"));
    let one = book::Model::new(&shelf.ids, "one");
    shelf.writer.commit(insert(&[&one])).await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(10), books.notified())
        .await
        .unwrap();
    let mut removal = ChangeSet::new();
    removal.delete(&one);
    shelf.writer.commit(removal).await.unwrap();
    shelf
        .writer
        .commit(insert(&[&one, &one]))
        .await
        .unwrap_err();
    for quiet in [books, others] {
        let told = std::pin::pin!(quiet.notified());
        assert!(poll_once(told).is_pending());
    }
}

async fn commits_are_durable(test: &TestDatabase) {
    let setting = test.database.durability().await.unwrap();
    assert!(
        setting == "synchronous=2" || setting == "fsync=on synchronous_commit=on",
        "{setting}"
    );
}

macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name(&super::TestDatabase::sqlite().await).await; })*
        }
        mod postgres {
            $(#[tokio::test] async fn $name() {
                if let Some(test) = super::TestDatabase::postgres().await { super::$name(&test).await; }
            })*
        }
    };
}

on_both_engines!(
    rows_and_nulls_come_back_as_they_were,
    a_set_is_refused_whole_and_its_neighbours_are_not,
    of_many_updates_of_one_version_one_wins,
    a_duplicate_primary_key_and_a_check_are_named,
    who_watches_a_table_is_told_of_commits_into_it_and_of_no_others,
    commits_are_durable,
);
