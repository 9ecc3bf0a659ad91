//! What the attribute costs who compiles it, beside two macro crates that every async code base has: the time to expand 1,000 methods of
//! twenty lines, and a clean build of the macro crate with its dependencies.
//!
//! All methods of a crate are expanded by one compiler process, which is asked how long the pass took; the macros are built as a debug
//! build has them. `floor: none` is the same crate without an attribute.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::project::{Attribute, Dependent, Methods};
use crate::meter::{children_cpu_time, per};
use crate::row::{Entry, Figure, Row, Unit};

fn expand(name: &'static str, methods: &Rc<Methods>, attribute: Attribute) -> Entry {
    let methods = Rc::clone(methods);
    Entry { name, turn: Box::new(move || vec![methods.expand(attribute)]) }
}

fn build(name: &'static str, dependent: Dependent) -> Entry {
    let turn = move || {
        let (begun, cpu) = (Instant::now(), children_cpu_time());
        dependent.build();
        let cpu: Duration = children_cpu_time().saturating_sub(cpu);
        vec![per(begun.elapsed(), 1), per(cpu, 1)]
    };
    Entry { name, turn: Box::new(turn) }
}

pub(crate) fn rows() -> Vec<Row> {
    let of_expansion = vec![Figure::ratio("time", "time to expand a method", Unit::Nanoseconds)];
    let of_build = vec![
        Figure::ratio("time", "clean build of the macro crate", Unit::Nanoseconds),
        Figure::ratio("cpu", "CPU of that build", Unit::Nanoseconds),
    ];
    let expand = Row::new("expand", "1,000 methods of 20 lines, expanded", of_expansion, |_| {
        let methods = Rc::new(Methods::prepare());
        vec![
            expand("#[blocking]", &methods, Attribute::Blocking),
            expand("async-trait", &methods, Attribute::AsyncTrait),
            expand("tracing-attributes", &methods, Attribute::Instrument),
            expand("floor: none", &methods, Attribute::None),
        ]
    });
    let build = Row::new("build", "the macro crate and its dependencies, from nothing", of_build, |_| {
        vec![
            build("#[blocking]", Dependent::of_ours()),
            build("async-trait", Dependent::of("build-async-trait", "async-trait = \"0.1\"")),
            build("tracing-attributes", Dependent::of("build-tracing", "tracing-attributes = \"0.1\"")),
        ]
    });
    vec![expand.compiles().few_rounds(), build.compiles().few_rounds()]
}
