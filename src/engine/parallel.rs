//! Work on several threads at once.

use std::cmp::Ordering;
use std::sync::{Mutex, PoisonError};
use std::thread::ScopedJoinHandle;

/// Runs `work` on so many threads and returns what each made, in the order of their numbers.
///
/// Of several errors the one of the lowest thread is returned; every thread has ended by then.
pub(crate) fn on_threads<T, E>(
    threads: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E>
where
    T: Send,
    E: Send,
{
    if threads <= 1 {
        return work(0).map(|made| vec![made]);
    }
    let work = &work;
    std::thread::scope(|scope| {
        let handles: Vec<_> =
            (0..threads).map(|number| scope.spawn(move || work(number))).collect();
        handles.into_iter().map(joined).collect()
    })
}

/// Sorts; equal items may come in any order.
pub(crate) fn sort_on_threads<T: Send>(
    threads: usize,
    items: &mut [T],
    compare: impl Fn(&T, &T) -> Ordering + Sync,
) {
    let compare = &compare;
    let size = items.len().div_ceil(threads.max(1)).max(WORTH_A_THREAD);
    std::thread::scope(|scope| {
        let mut chunks = items.chunks_mut(size);
        let first = chunks.next();
        for chunk in chunks {
            scope.spawn(move || chunk.sort_unstable_by(compare));
        }
        if let Some(first) = first {
            first.sort_unstable_by(compare);
        }
    });
    // This sort finds the runs that are in order already, and merges them.
    if items.len() > size {
        items.sort_by(compare);
    }
}

/// Fewer items than this are sorted before a thread has begun.
const WORTH_A_THREAD: usize = 1 << 14;

/// Does two things at once, or one after the other where there is one thread.
pub(crate) fn both<A: Send, B>(
    threads: usize,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B,
) -> (A, B) {
    if threads <= 1 {
        return (one(), other());
    }
    std::thread::scope(|scope| {
        let handle = scope.spawn(one);
        let made = other();
        (joined(handle), made)
    })
}

/// Does one thing on this thread, while the others work; when it is done, this thread works with them.
///
/// Returns what it made, and what the work made on each thread. Of several errors of the work one is returned; every thread
/// has ended by then.
pub(crate) fn beside<A, T: Send, E: Send>(
    threads: usize,
    one: impl FnOnce() -> A,
    work: impl Fn() -> Result<T, E> + Sync,
) -> (A, Result<Vec<T>, E>) {
    let work = &work;
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let made = one();
        let worked = [work()].into_iter().chain(others.into_iter().map(joined));
        (made, worked.collect())
    })
}

fn joined<T>(handle: ScopedJoinHandle<'_, T>) -> T {
    match handle.join() {
        Ok(made) => made,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Hands the items of an iterator to whichever thread asks next.
pub(crate) struct Queue<I>(Mutex<I>);

impl<I: Iterator> Queue<I> {
    pub(crate) fn new(items: I) -> Self {
        Self(Mutex::new(items))
    }

    pub(crate) fn next(&self) -> Option<I::Item> {
        let mut items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        items.next()
    }
}

#[cfg(test)]
mod tests {
    use super::{Queue, beside, both, on_threads, sort_on_threads};

    #[test]
    fn items_are_in_order_whatever_the_number_of_threads() {
        for (threads, count) in [(1, 0), (2, 10), (2, 100_000), (3, 99_999), (8, 50_000)] {
            let mut items: Vec<u64> = (0..count).map(|number| number * 7919 % 1009).collect();
            let mut expected = items.clone();
            expected.sort_unstable();
            sort_on_threads(threads, &mut items, u64::cmp);
            assert_eq!(items, expected, "{threads} {count}");
        }
    }

    #[test]
    fn every_item_is_handed_out_once() {
        let queue = Queue::new(0..1000_u64);
        let sums = on_threads(4, |_| Ok::<u64, ()>(std::iter::from_fn(|| queue.next()).sum()));
        assert_eq!(sums.unwrap().iter().sum::<u64>(), 499_500);
    }

    #[test]
    fn what_the_threads_made_comes_in_their_order() {
        assert_eq!(on_threads(3, Ok::<usize, ()>), Ok(vec![0, 1, 2]));
    }

    #[test]
    fn two_things_are_done_whatever_the_number_of_threads() {
        for threads in [1, 2] {
            assert_eq!(both(threads, || 1, || "b"), (1, "b"));
        }
    }

    #[test]
    fn work_is_done_beside_another_thing_whatever_the_number_of_threads() {
        for threads in [0, 1, 3] {
            let queue = Queue::new(0..100_u64);
            let (made, sums) = beside(
                threads,
                || "b",
                || Ok::<u64, ()>(std::iter::from_fn(|| queue.next()).sum()),
            );
            assert_eq!((made, sums.map(|sums| sums.iter().sum())), ("b", Ok(4950)));
        }
        let (made, worked) = beside(3, || 1, || Err::<(), _>("broken"));
        assert_eq!((made, worked), (1, Err("broken")));
    }

    #[test]
    fn the_error_of_the_lowest_thread_is_returned() {
        let failing = |number| if number == 0 { Ok(()) } else { Err(number) };
        assert_eq!(on_threads(3, failing), Err(1));
    }
}
