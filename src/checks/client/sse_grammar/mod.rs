//! Event streams in every spelling that the grammar allows: the caller gets the response all the same.

checks! {
    line_endings,
    byte_order_mark,
    comments,
    multi_line_data,
    unknown_fields,
    event_types,
    empty_data,
    ids_and_retry,
    any_split,
    large_event,
    many_events,
    incomplete_event,
}

use super::caller;
use crate::trace::Trace;
use crate::verdict::{Cite, Judge};

/// The call that is answered in the plainest way: its caller shows that it would have got the others' answers too.
const PLAIN: &str = "plain";

/// What stands where no client may look for a message.
#[cfg(test)]
const POISON: &str = "this was never sent as a message";

/// The caller of each call whose label begins so gets what stands in a stream that is spelt so.
fn read(trace: &Trace, judge: &mut Judge<'_>, prefix: &str, cite: Cite, spelt: &str) {
    caller::gets_the_answer(trace, judge, prefix, PLAIN, cite, spelt);
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::checks::proofs::judged_in;
    use crate::scenario::Scenario;
    use crate::trace::edit::Edit;
    use crate::verdict::Verdict;

    #[rstest]
    #[case::a_client_that_does_not_tell(tells_nothing)]
    #[case::a_client_that_cannot_read_the_plain_answer(cannot_read_the_plain_answer)]
    #[case::a_client_that_made_no_plain_call(makes_no_plain_call)]
    fn nothing_passes_for(#[case] without: fn(&mut Edit)) {
        // Who resumes a stream after an id has read the id.
        for listed in listed().iter().filter(|listed| !listed.id().ends_with("/ids-and-retry")) {
            for (revision, verdict) in judged_in(&listed.id(), Scenario::ClientSseGrammar, without) {
                assert_eq!(verdict, Verdict::NotExercised, "{} in {revision}", listed.id());
            }
        }
    }

    fn tells_nothing(edit: &mut Edit) {
        edit.told_nothing(|_| true);
    }

    fn cannot_read_the_plain_answer(edit: &mut Edit) {
        edit.told_error(|step| step == PLAIN, None);
    }

    fn makes_no_plain_call(edit: &mut Edit) {
        edit.first(|exchange| exchange.label == PLAIN).never_asked();
    }
}
