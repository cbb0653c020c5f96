//! The target's own tools, by what they are good for.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde_json::Value;

/// What a tool is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ToolRole {
    /// Takes some hundred milliseconds before it answers.
    Slow,
    /// Sends progress notifications.
    Progress,
    /// Answers with an error.
    Error,
    /// Answers with much.
    Large,
    /// Asks something of the client.
    ServerRequest,
    /// Answers with what it is told.
    Echo,
    /// Takes a moment, and does something at the end of it that the effect tool tells of; stops when it is cancelled.
    SideEffect,
    /// Tells what the side effect has come to: read-only, and the same until there is another one.
    Effect,
}

impl ToolRole {
    const ALL: [Self; 8] = [
        Self::Slow,
        Self::Progress,
        Self::Error,
        Self::Large,
        Self::ServerRequest,
        Self::Echo,
        Self::SideEffect,
        Self::Effect,
    ];

    /// Their names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Progress => "progress",
            Self::Error => "error",
            Self::Large => "large",
            Self::ServerRequest => "server-request",
            Self::Echo => "echo",
            Self::SideEffect => "side-effect",
            Self::Effect => "effect",
        }
    }
}

impl fmt::Display for ToolRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What stands in the arguments for a text that mcpwire chooses.
pub const MARK: &str = "{mark}";

/// A tool and the arguments to call it with.
#[derive(Clone, Debug, PartialEq)]
pub struct MappedTool {
    /// Its name.
    pub name: String,
    /// The arguments, with a [`MARK`] in their texts where another one is to stand in each call.
    pub arguments: Option<Value>,
}

/// Which tool plays which role.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolRoles(BTreeMap<ToolRole, MappedTool>);

/// A mapping that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// Not of the form ROLE=NAME.
    #[error("`{0}` is not of the form ROLE=NAME or ROLE=NAME:JSON")]
    Form(String),
    /// No such role.
    #[error(
        "tool role `{0}` is not known (known roles: slow, progress, error, large, server-request, echo, side-effect, \
         effect)"
    )]
    Role(String),
    /// The arguments are no JSON object.
    #[error("the arguments of tool `{0}` are not a JSON object")]
    Arguments(String),
}

impl ToolRoles {
    /// None that is known without asking: a target's tools are called uninvited only where they say that they
    /// are harmless.
    pub fn well_known() -> Self {
        Self::default()
    }

    /// Those of the embedded reference server.
    pub fn of_the_reference() -> Self {
        let mut roles = Self::default();
        // Slow enough to have two calls in flight, and no slower: it is called often.
        let slow = Some(serde_json::json!({"ms": 150}));
        // More than the buffers of both ends take, so that whoever does not read it holds its writer up.
        let large = Some(serde_json::json!({"kib": 6 * 1024}));
        let echo = Some(serde_json::json!({"text": MARK}));
        let side_effect = Some(serde_json::json!({"key": MARK, "ms": 80}));
        let effect = Some(serde_json::json!({"key": MARK}));
        let tools = [
            (ToolRole::Slow, "slow", slow),
            (ToolRole::Progress, "progress", None),
            (ToolRole::Error, "fail", None),
            (ToolRole::Large, "large", large),
            (ToolRole::Echo, "echo", echo),
            (ToolRole::SideEffect, "count-after", side_effect),
            (ToolRole::Effect, "counter", effect),
        ];
        for (role, name, arguments) in tools {
            roles.0.insert(role, MappedTool { name: name.to_owned(), arguments });
        }
        roles
    }

    /// The tool for a role.
    pub fn get(&self, role: ToolRole) -> Option<&MappedTool> {
        self.0.get(&role)
    }

    /// Takes a tool for a role.
    pub(crate) fn set(&mut self, role: ToolRole, name: String, arguments: Option<Value>) {
        self.0.insert(role, MappedTool { name, arguments });
    }

    /// The mappings, each as [`ToolRoles::map`] takes it.
    pub(crate) fn typed(&self) -> Vec<String> {
        let arguments = |tool: &MappedTool| tool.arguments.as_ref().map(|json| format!(":{json}")).unwrap_or_default();
        self.0.iter().map(|(role, tool)| format!("{role}={}{}", tool.name, arguments(tool))).collect()
    }

    /// These roles, where they say something, else those.
    pub fn over(mut self, those: Self) -> Self {
        for (role, tool) in those.0 {
            self.0.entry(role).or_insert(tool);
        }
        self
    }

    /// Takes a mapping such as `slow=sleep:{"ms":500}`.
    ///
    /// # Errors
    ///
    /// Where it is not of that form, or names no role.
    pub fn map(&mut self, text: &str) -> Result<(), RoleError> {
        let (role, tool) = text.split_once('=').ok_or_else(|| RoleError::Form(text.to_owned()))?;
        let role = ToolRole::from_str(role)?;
        let (name, arguments) = match tool.split_once(':') {
            None => (tool, None),
            Some((name, json)) => {
                let value: Value = serde_json::from_str(json).map_err(|_| RoleError::Arguments(name.to_owned()))?;
                if !value.is_object() {
                    return Err(RoleError::Arguments(name.to_owned()));
                }
                (name, Some(value))
            }
        };
        if name.is_empty() {
            return Err(RoleError::Form(text.to_owned()));
        }
        self.0.insert(role, MappedTool { name: name.to_owned(), arguments });
        Ok(())
    }
}

impl FromStr for ToolRole {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| RoleError::Role(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_names_a_role_a_tool_and_perhaps_its_arguments() {
        let mut roles = ToolRoles::default();
        roles.map(r#"slow=sleep:{"ms":500}"#).unwrap();
        roles.map("progress=count").unwrap();
        assert_eq!(roles.get(ToolRole::Slow).unwrap().arguments, Some(serde_json::json!({"ms": 500})));
        assert_eq!(roles.get(ToolRole::Progress).unwrap().name, "count");
    }

    #[test]
    fn what_cannot_be_read_is_told_with_the_valid_choices() {
        let said = |text: &str| ToolRoles::default().map(text).unwrap_err().to_string();
        assert!(said("slwo=x").contains("known roles: slow, progress"));
        assert!(said("slow").contains("ROLE=NAME"));
        assert!(said("slow=x:[1]").contains("not a JSON object"));
    }
}
