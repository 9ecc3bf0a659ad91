//! How many cells are allocated, for the loom models.

std::thread_local! {
    /// loom runs all threads of a model on the thread of the test.
    static CELLS: std::cell::Cell<isize> = const { std::cell::Cell::new(0) };
}

/// Adds `change` to the number of allocated cells.
pub(super) fn count_cells(change: isize) {
    CELLS.set(CELLS.get() + change);
}

pub(super) fn assert_no_cell_is_left() {
    assert_eq!(CELLS.get(), 0, "a cell was leaked, or freed twice");
}
