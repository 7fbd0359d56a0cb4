//! Which repository a twin serves: its number and its names.

/// The repository as it is known now. Forgotten when the twin closes, but for what its configuration says.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) id: u64,
    pub(crate) owner: String,
    pub(crate) name: String,
    /// Names it had before, from which GitHub leads on until another repository takes them.
    former: Vec<(String, String)>,
}

impl Identity {
    pub(crate) fn new(id: u64, owner: String, name: String) -> Self {
        Self { id, owner, name, former: Vec::new() }
    }

    /// The name with its owner.
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// Whether it is called so.
    pub(crate) fn is_called(&self, owner: &str, name: &str) -> bool {
        self.owner.eq_ignore_ascii_case(owner) && self.name.eq_ignore_ascii_case(name)
    }

    /// Whether it was called so.
    pub(crate) fn was_called(&self, owner: &str, name: &str) -> bool {
        self.former.iter().any(|(o, n)| o.eq_ignore_ascii_case(owner) && n.eq_ignore_ascii_case(name))
    }

    /// The same repository under another name.
    pub(crate) fn renamed(&self, owner: String, name: String) -> Self {
        let mut former = self.former.clone();
        former.push((self.owner.clone(), self.name.clone()));
        former.retain(|(o, n)| !(o.eq_ignore_ascii_case(&owner) && n.eq_ignore_ascii_case(&name)));
        Self { id: self.id, owner, name, former }
    }

    /// Another repository under the same name.
    pub(crate) fn made_again(&self) -> Self {
        Self { id: self.id + 1, former: Vec::new(), ..self.clone() }
    }

    /// A request's path below `/repositories/{id}` as the one below its name that means the same.
    pub(crate) fn by_name(&self, segments: &[String]) -> Option<Vec<String>> {
        let [first, id, rest @ ..] = segments else { return None };
        if first != "repositories" || id.parse() != Ok(self.id) {
            return None;
        }
        let name = ["repos", &self.owner, &self.name].map(str::to_owned);
        Some(name.into_iter().chain(rest.iter().cloned()).collect())
    }

    /// Where a request to a former name is led: the same below the number.
    pub(crate) fn by_number(&self, asked: &str) -> String {
        let (path, query) = asked.split_once('?').map_or((asked, None), |(path, query)| (path, Some(query)));
        let rest = path.splitn(5, '/').nth(4).map_or_else(String::new, |rest| format!("/{rest}"));
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        format!("/repositories/{}{rest}{query}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_former_name_leads_on_until_it_is_the_name_again() {
        let first = Identity::new(7, "o".to_owned(), "r".to_owned());
        let second = first.renamed("new".to_owned(), "name".to_owned());
        assert!(second.is_called("NEW", "Name") && second.was_called("O", "R") && !second.is_called("o", "r"));
        assert!(!second.renamed("o".to_owned(), "r".to_owned()).was_called("o", "r"));
        assert!(!second.made_again().was_called("o", "r") && second.made_again().id == 8);
        let leads = |path: &str| second.by_number(path);
        assert_eq!(leads("/repos/o/r"), "/repositories/7");
        assert_eq!(leads("/repos/o/r/git/ref/heads%2Fa?x=1&y"), "/repositories/7/git/ref/heads%2Fa?x=1&y");
        let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(second.by_name(&segments("repositories/7/pulls/1")), Some(segments("repos/new/name/pulls/1")));
        assert_eq!(second.by_name(&segments("repositories/8")), None);
        assert_eq!(second.by_name(&segments("repos/o/r")), None);
    }
}
