/// What kind of identifying text was found. Names are presidio's where presidio has one.
public enum Entity: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    case person = "PERSON"
    case emailAddress = "EMAIL_ADDRESS"
    case phoneNumber = "PHONE_NUMBER"
    case url = "URL"
    case ipAddress = "IP_ADDRESS"
    case creditCard = "CREDIT_CARD"
    case socialSecurityNumber = "US_SSN"
    case iban = "IBAN_CODE"
    case driverLicense = "US_DRIVER_LICENSE"
    case passport = "US_PASSPORT"
    /// A street address, with the places that stand in it. Presidio counts these as LOCATION; a town on its own is not
    /// taken out here, so the narrower name says what is meant.
    case streetAddress = "STREET_ADDRESS"
    /// A date said to be somebody's birth. Other dates stay.
    case dateOfBirth = "DATE_OF_BIRTH"
    /// An `@handle` or a user name on some service.
    case userName = "USERNAME"

    /// In order of declaration; the order in which reports list them.
    public static func < (a: Entity, b: Entity) -> Bool { a.order < b.order }

    private var order: Int { Self.allCases.firstIndex(of: self) ?? Self.allCases.count }
}
