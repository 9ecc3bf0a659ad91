//! Where a job says that it comes from.

use crate::run;
use offload_runtime::{Executor, Inline, Job, Site, blocking};
use std::sync::{Arc, Mutex};

/// Remembers the site of the last job.
#[derive(Clone, Default)]
struct Asking(Arc<Mutex<Option<Site>>>);

impl Executor for Asking {
    fn execute(&self, job: Job) {
        *self.0.lock().unwrap() = Some(job.site());
        Inline.execute(job);
    }
}

impl Asking {
    fn last(&self) -> Site {
        self.0.lock().unwrap().expect("a job was submitted")
    }
}

#[derive(Clone)]
struct Table<T> {
    executor: Asking,
    rows: Vec<T>,
}

const FIND_LINE: u32 = line!() + 4;

impl<T: Clone + Send + Sync + 'static> Table<T> {
    #[blocking]
    fn r#find(&self) -> usize {
        self.rows.len()
    }

    #[blocking(executor = executor)]
    fn create(executor: Asking) -> Option<Self> {
        None
    }

    #[blocking(executor = executor)]
    fn associated(executor: Asking) {}
}

struct Other;

impl Other {
    #[blocking(executor = executor)]
    fn associated(executor: Asking) {}
}

trait Associated {
    async fn in_a_trait(executor: Asking);
}

impl Associated for Other {
    #[blocking(executor = executor)]
    fn in_a_trait(executor: Asking) {}
}

static ASKING: std::sync::LazyLock<Asking> = std::sync::LazyLock::new(Asking::default);

#[blocking(executor = *ASKING)]
fn free() {}

#[test]
fn a_site_names_method_type_module_and_line() {
    let table = Table { executor: Asking::default(), rows: vec![1_u8] };
    run(table.find());
    let site = table.executor.last();
    assert_eq!(site.name(), Some("find"));
    assert_eq!(site.to_string(), "Table<u8>::find");
    assert_eq!(site.module_path(), Some("macros::sites"));
    assert!(site.file().ends_with("sites.rs"), "{site:?}");
    assert_eq!(site.line(), FIND_LINE);
}

#[test]
fn a_site_outside_of_any_type_names_the_function() {
    run(free());
    assert_eq!((ASKING.last().name(), ASKING.last().type_name()), (Some("free"), None));
}

#[test]
fn associated_functions_of_one_name_have_different_sites() {
    let asking = Asking::default();
    run(Table::<u8>::associated(asking.clone()));
    assert_eq!(asking.last().to_string(), "Table<_>::associated");
    run(Other::associated(asking.clone()));
    assert_eq!((asking.last().to_string().as_str(), asking.last().name()), ("Other::associated", Some("associated")));
    run(Other::in_a_trait(asking.clone()));
    assert_eq!(asking.last().to_string(), "Other::in_a_trait");
}

#[test]
fn an_associated_function_knows_its_type_by_its_signature() {
    let asking = Asking::default();
    assert!(run(Table::<u8>::create(asking.clone())).is_none());
    assert_eq!(asking.last().to_string(), "Table<u8>::create");
}
