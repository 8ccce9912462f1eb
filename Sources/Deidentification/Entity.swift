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
    case taxpayerNumber = "US_ITIN"
    case bankAccount = "US_BANK_NUMBER"
    case routingNumber = "ABA_ROUTING_NUMBER"
    case providerNumber = "US_NPI"
    case beneficiaryNumber = "US_MBI"
    case medicalLicense = "MEDICAL_LICENSE"
    case crypto = "CRYPTO"
    case macAddress = "MAC_ADDRESS"
    /// A street address, with the places that stand in it. Presidio counts these as LOCATION; here the narrower
    /// name says what is meant.
    case streetAddress = "STREET_ADDRESS"
    /// A date said to be somebody's birth. Other dates stay.
    case dateOfBirth = "DATE_OF_BIRTH"
    /// An `@handle` or a user name on some service.
    case userName = "USERNAME"
    case postalCode = "POSTAL_CODE"
    /// An age of a person, the number alone.
    case age = "AGE"
    /// A town or another place that is not well known.
    case location = "LOCATION"
    /// A company or a school that somebody is said to belong to.
    case organization = "ORGANIZATION"

    /// In order of declaration; the order in which reports list them.
    public static func < (a: Entity, b: Entity) -> Bool { a.order < b.order }

    private var order: Int { Self.allCases.firstIndex(of: self) ?? Self.allCases.count }
}
