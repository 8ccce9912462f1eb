/// Rules of account names, for the command that makes them and for signing in.
public enum AccountName {
    /// Small letters, digits and `._-`, at most 40, beginning with a letter; people who talk have ids that begin with `web-`,
    /// which no account may.
    public static func isAllowed(_ name: String) -> Bool {
        name.wholeMatch(of: /[a-z][a-z0-9._-]{0,39}/) != nil && !name.hasPrefix("web-")
    }
}
