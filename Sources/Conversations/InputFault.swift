/// An error that can say whether what was given is at fault (a broken log, a wrong option: exit status 2) or the machine
/// (a full disk: exit status 1).
public protocol InputFault: Error {
    var isInputAtFault: Bool { get }
}

extension InputFault {
    /// Most errors of the rooms that read are about what they read.
    public var isInputAtFault: Bool { true }
}
