//! The catalogue of checks: what a check is, and which there are.

use std::sync::LazyLock;

use crate::checks;
use crate::manifest::{Load, Options, Role};
use crate::pattern;
use crate::scenario::Scenario;
use crate::sets::UnknownSet;
use crate::spec::Revision;
use crate::spelling::distance;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::Mutant;
use crate::verdict::{Cite, Judge, Level};

/// A check, as its file states it.
#[derive(Debug)]
pub struct Check {
    /// The traces that it reads.
    pub kind: Kind,
    /// What its findings can stand on.
    pub cites: &'static [Cite],
    /// The revisions that have the rule.
    pub revisions: &'static [Revision],
    /// Why the others have not, as a lowercase fragment.
    pub elsewhere: &'static str,
    /// What a target must offer so that the rule can be seen, as a lowercase fragment.
    pub needs: &'static str,
    /// Looks at one trace.
    pub judge: fn(&Trace, &mut Judge<'_>),
    /// Ways to damage a good trace so that this check must fail.
    #[cfg(test)]
    pub mutants: &'static [Mutant],
}

/// The two kinds of check.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Reads what one scenario labelled for it.
    Probe(Scenario),
    /// Judges every exchange in every trace in which our side kept to the protocol; these scenarios suffice
    /// where nothing else is played.
    Invariant(&'static [Scenario]),
}

impl Kind {
    /// The scenarios that must be played for it.
    pub fn scenarios(&self) -> &[Scenario] {
        match self {
            Self::Probe(scenario) => std::slice::from_ref(scenario),
            Self::Invariant(scenarios) => scenarios,
        }
    }

    /// Whether it reads traces of this scenario.
    pub fn reads(&self, scenario: Scenario) -> bool {
        match self {
            Self::Probe(wanted) => *wanted == scenario,
            Self::Invariant(_) => scenario.role() == self.role(),
        }
    }

    /// What is tested.
    pub fn role(&self) -> Role {
        self.scenarios().first().map_or(Role::Server, |scenario| scenario.role())
    }
}

/// A check in the catalogue.
#[derive(Debug)]
pub struct Listed {
    module: &'static str,
    slug: &'static str,
    source: &'static str,
    /// The check.
    pub check: &'static Check,
}

impl Listed {
    /// Used by the lists of the areas.
    pub(crate) const fn new(
        module: &'static str,
        slug: &'static str,
        source: &'static str,
        check: &'static Check,
    ) -> Self {
        Self { module, slug, source, check }
    }

    /// Its id: the path of its file below `checks/`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.area(), self.slug.replace('_', "-"))
    }

    /// All but the last segment of its id.
    pub fn area(&self) -> String {
        let below = self.module.rsplit_once("checks::").map_or(self.module, |(_, below)| below);
        below.replace("::", "/").replace('_', "-")
    }

    /// The path of its file.
    pub fn path(&self) -> String {
        format!("src/checks/{}/{}.rs", self.area().replace('-', "_"), self.slug)
    }

    /// What its file says about it: the head comment, without the comment marks.
    pub fn explanation(&self) -> String {
        let head = self.source.lines().take_while(|line| line.starts_with("//!"));
        let text: Vec<&str> = head.map(|line| line.trim_start_matches("//!").trim_start_matches(' ')).collect();
        text.join("\n")
    }

    /// The heading of its explanation.
    pub fn title(&self) -> String {
        self.explanation().lines().next().unwrap_or_default().trim_start_matches("# ").to_owned()
    }

    /// The paragraph of its explanation that says how to fix what it finds.
    pub fn fix(&self) -> String {
        let text = self.explanation();
        let after = text.split("## How to fix it").nth(1).unwrap_or_default();
        let section = after.split("\n## ").next().unwrap_or_default();
        section.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The option that asks for its scenario, where these do not.
    pub fn lacks(&self, load: &Load) -> Option<&'static str> {
        self.check.kind.scenarios().iter().find_map(|scenario| scenario.lacks(load))
    }

    /// The highest level that a finding of it can have in a revision; `None` where the rule does not exist.
    pub fn level(&self, revision: Revision) -> Option<Level> {
        if !self.check.revisions.contains(&revision) {
            return None;
        }
        self.check.cites.iter().filter_map(|cite| cite.level(revision)).max()
    }
}

/// All checks, in the order of their areas.
pub fn all() -> &'static [Listed] {
    static ALL: LazyLock<Vec<Listed>> = LazyLock::new(|| checks::areas().into_iter().flatten().collect());
    &ALL
}

/// Ids that were given up, and what took their place: what others wrote down stays valid.
const RENAMED: &[(&str, &str)] = &[];

/// The check of this id, or of the one that took its place.
pub fn find(id: &str) -> Option<&'static Listed> {
    let id = redirected(id, RENAMED);
    all().iter().find(|listed| listed.id() == id)
}

fn redirected<'a>(id: &'a str, renamed: &[(&'a str, &'a str)]) -> &'a str {
    // At most one step for each row: a table that leads in a circle ends as well.
    renamed.iter().fold(id, |id, _| renamed.iter().find(|(old, _)| *old == id).map_or(id, |(_, new)| new))
}

/// The ids that are written most like this one, the likeliest first.
pub fn near(wanted: &str) -> Vec<String> {
    const SHOWN: usize = 3;
    let slug = |id: &str| id.rsplit_once('/').map_or(id, |(_, slug)| slug).to_owned();
    let mistyped = |one: &str, other: &str| Some(distance(one, other)).filter(|letters| *letters <= other.len() / 4);
    let mut near: Vec<(usize, String)> = Vec::new();
    for id in all().iter().map(Listed::id) {
        // The right slug in the wrong area is as near as a typing error.
        let letters = mistyped(wanted, &id).into_iter().chain(mistyped(&slug(wanted), &slug(&id))).min();
        near.extend(letters.map(|letters| (letters, id)));
    }
    near.sort();
    near.into_iter().take(SHOWN).map(|(_, id)| id).collect()
}

/// A selection without a check.
#[derive(Debug, thiserror::Error)]
pub enum NoMatch {
    /// A pattern matches none.
    #[error("no check matches `{pattern}` ({hint})")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What would have been valid.
        hint: String,
    },
    /// All that it matches are judged under load only, and that was not asked for.
    #[error("`{pattern}` is judged under load only: add {option}")]
    Load {
        /// The pattern.
        pattern: String,
        /// The option that asks for it.
        option: &'static str,
    },
    /// No such frozen set.
    #[error(transparent)]
    Set(#[from] UnknownSet),
    /// Every check that is picked is left out again.
    #[error("the selection leaves no check: --skip leaves out all that --only picks")]
    Nothing,
}

/// The checks of a role, or of both, that the patterns leave.
///
/// # Errors
///
/// Where a pattern matches nothing, and where nothing is left.
pub fn select(role: Option<Role>, only: &[String], skip: &[String]) -> Result<Vec<&'static Listed>, NoMatch> {
    let of_role = || all().iter().filter(|listed| role.is_none_or(|role| listed.check.kind.role() == role));
    for wanted in only.iter().chain(skip) {
        if !of_role().any(|listed| pattern::matches(wanted, &listed.id())) {
            return Err(NoMatch::Pattern { pattern: wanted.clone(), hint: hint(wanted, role) });
        }
    }
    let chosen = |patterns: &[String], id: &str| patterns.iter().any(|wanted| pattern::matches(wanted, id));
    let selected: Vec<&'static Listed> = of_role()
        .filter(|listed| {
            let id = listed.id();
            (only.is_empty() || chosen(only, &id)) && !chosen(skip, &id)
        })
        .collect();
    if selected.is_empty() { Err(NoMatch::Nothing) } else { Ok(selected) }
}

/// The checks of a role that a run with these options comes to: what is judged under load only is left out where no
/// load was asked for.
///
/// # Errors
///
/// As [`select`], and where a pattern picks nothing but checks that are left out so.
pub fn of_run(role: Role, options: &Options) -> Result<Vec<&'static Listed>, NoMatch> {
    let mut selected = select(Some(role), &options.only, &options.skip)?;
    for pattern in &options.only {
        let picked = || selected.iter().filter(|listed| pattern::matches(pattern, &listed.id()));
        let lacking = picked().find_map(|listed| listed.lacks(&options.load));
        if let Some(option) = lacking
            && picked().all(|listed| listed.lacks(&options.load).is_some())
        {
            return Err(NoMatch::Load { pattern: pattern.clone(), option });
        }
    }
    for pattern in &options.require {
        // Whether it is among the selected ones is of no account: a replay selects one check, a shard some.
        let asked = select(Some(role), std::slice::from_ref(pattern), &[])?;
        let lacking = asked.iter().find_map(|listed| listed.lacks(&options.load));
        if let Some(option) = lacking
            && asked.iter().all(|listed| listed.lacks(&options.load).is_some())
        {
            return Err(NoMatch::Load { pattern: pattern.clone(), option });
        }
    }
    selected.retain(|listed| listed.lacks(&options.load).is_none());
    Ok(selected)
}

/// What would have been valid: the other role, the checks of the same area, or the areas.
fn hint(wanted: &str, role: Option<Role>) -> String {
    if all().iter().any(|listed| pattern::matches(wanted, &listed.id())) {
        return match role {
            Some(Role::Server) => "it is a check of clients: `mcpwire client` runs it".to_owned(),
            _ => "it is a check of servers: `mcpwire server` runs it".to_owned(),
        };
    }
    let of_role = || all().iter().filter(|listed| role.is_none_or(|role| listed.check.kind.role() == role));
    let area = wanted.rsplit_once('/').map_or(wanted, |(area, _)| area);
    let in_area: Vec<String> = of_role().filter(|listed| listed.area() == area).map(Listed::id).collect();
    let near: Vec<String> = near(wanted).into_iter().filter(|id| of_role().any(|listed| listed.id() == *id)).collect();
    let near = if near.is_empty() { String::new() } else { format!("did you mean {}? ", near.join(" or ")) };
    if !in_area.is_empty() {
        return format!("{near}checks in this area: {}", in_area.join(", "));
    }
    let mut areas: Vec<String> = of_role().map(|listed| format!("{}/*", listed.area())).collect();
    areas.dedup();
    format!("{near}known areas: {}; `mcpwire list` shows every check", areas.join(", "))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_letter("sse/well-fromed", "sse/well-formed")]
    #[case::an_area("http/well-formed", "sse/well-formed")]
    #[case::a_hyphen("client/body_drained", "client/body-drained")]
    fn a_mistyped_id_has_the_right_one_near(#[case] wanted: &str, #[case] meant: &str) {
        assert_eq!(near(wanted).first().map(String::as_str), Some(meant));
    }

    #[test]
    fn nothing_is_near_to_what_means_nothing() {
        assert_eq!(near("no/such-thing-anywhere"), Vec::<String>::new());
    }

    #[test]
    fn an_id_that_was_given_up_leads_to_the_one_in_its_place() {
        let renamed = [("a/old", "a/newer"), ("a/newer", "b/newest"), ("x/one", "x/other"), ("x/other", "x/one")];
        assert_eq!(redirected("a/old", &renamed), "b/newest");
        assert_eq!(redirected("b/newest", &renamed), "b/newest");
        // A circle is an error of the table, and ends all the same.
        redirected("x/one", &renamed);
    }

    #[test]
    fn every_id_that_was_given_up_leads_to_a_check() {
        for (old, new) in RENAMED {
            assert!(all().iter().all(|listed| listed.id() != *old), "{old} is a check again");
            assert!(find(old).is_some(), "{old} leads to {new}, which is no check");
        }
    }
}
