/** The part of the Admin GraphQL API that our queries touch; a test compares it with the real schema. */
export const FAKE_SHOPIFY_SCHEMA = /* GraphQL */ `
  schema {
    query: QueryRoot
  }
  scalar DateTime
  scalar Decimal
  scalar Money
  scalar UnsignedInt64
  scalar CurrencyCode
  scalar CountryCode
  scalar OrderDisplayFinancialStatus
  scalar OrderDisplayFulfillmentStatus
  scalar ProductStatus
  scalar CustomerState
  enum OrderSortKeys {
    UPDATED_AT
  }
  enum ProductSortKeys {
    UPDATED_AT
  }
  enum CustomerSortKeys {
    UPDATED_AT
  }
  type QueryRoot {
    shop: Shop!
    orders(first: Int, after: String, query: String, sortKey: OrderSortKeys): OrderConnection!
    order(id: ID!): Order
    products(first: Int, after: String, query: String, sortKey: ProductSortKeys): ProductConnection!
    product(id: ID!): Product
    customers(first: Int, after: String, query: String, sortKey: CustomerSortKeys): CustomerConnection!
    inventoryItems(first: Int, after: String, query: String): InventoryItemConnection!
    inventoryItem(id: ID!): InventoryItem
  }
  type PageInfo {
    hasNextPage: Boolean!
    endCursor: String
  }
  type Shop {
    name: String!
  }
  type MoneyV2 {
    amount: Decimal!
    currencyCode: CurrencyCode!
  }
  type MoneyBag {
    shopMoney: MoneyV2!
  }
  type OrderConnection {
    nodes: [Order!]!
    pageInfo: PageInfo!
  }
  type Order {
    id: ID!
    name: String!
    createdAt: DateTime!
    updatedAt: DateTime!
    processedAt: DateTime!
    cancelledAt: DateTime
    closedAt: DateTime
    test: Boolean!
    currencyCode: CurrencyCode!
    displayFinancialStatus: OrderDisplayFinancialStatus
    displayFulfillmentStatus: OrderDisplayFulfillmentStatus!
    sourceName: String
    tags: [String!]!
    customer: Customer
    totalPriceSet: MoneyBag!
    currentTotalPriceSet: MoneyBag!
    totalTaxSet: MoneyBag
    lineItems(first: Int, after: String): LineItemConnection!
  }
  type LineItemConnection {
    nodes: [LineItem!]!
    pageInfo: PageInfo!
  }
  type LineItem {
    id: ID!
    sku: String
    name: String!
    title: String!
    variantTitle: String
    quantity: Int!
    currentQuantity: Int!
    unfulfilledQuantity: Int!
    variant: ProductVariant
    originalUnitPriceSet: MoneyBag!
    discountedTotalSet: MoneyBag!
  }
  type ProductConnection {
    nodes: [Product!]!
    pageInfo: PageInfo!
  }
  type Product {
    id: ID!
    title: String!
    handle: String!
    status: ProductStatus!
    vendor: String!
    productType: String!
    tags: [String!]!
    createdAt: DateTime!
    updatedAt: DateTime!
    publishedAt: DateTime
    totalInventory: Int!
    variants(first: Int, after: String): ProductVariantConnection!
  }
  type ProductVariantConnection {
    nodes: [ProductVariant!]!
    pageInfo: PageInfo!
  }
  type ProductVariant {
    id: ID!
    title: String!
    sku: String
    barcode: String
    position: Int!
    price: Money!
    compareAtPrice: Money
    inventoryQuantity: Int
    createdAt: DateTime!
    updatedAt: DateTime!
    inventoryItem: InventoryItem!
  }
  type CustomerConnection {
    nodes: [Customer!]!
    pageInfo: PageInfo!
  }
  type Customer {
    id: ID!
    displayName: String!
    firstName: String
    lastName: String
    state: CustomerState!
    locale: String!
    tags: [String!]!
    createdAt: DateTime!
    updatedAt: DateTime!
    numberOfOrders: UnsignedInt64!
    amountSpent: MoneyV2!
    defaultEmailAddress: CustomerEmailAddress
    defaultPhoneNumber: CustomerPhoneNumber
    defaultAddress: MailingAddress
  }
  type CustomerEmailAddress {
    emailAddress: String!
  }
  type CustomerPhoneNumber {
    phoneNumber: String!
  }
  type MailingAddress {
    city: String
    provinceCode: String
    countryCodeV2: CountryCode
    zip: String
  }
  type InventoryItemConnection {
    nodes: [InventoryItem!]!
    pageInfo: PageInfo!
  }
  type InventoryItem {
    id: ID!
    sku: String
    tracked: Boolean!
    updatedAt: DateTime!
    inventoryLevels(first: Int, after: String): InventoryLevelConnection!
  }
  type InventoryLevelConnection {
    nodes: [InventoryLevel!]!
    pageInfo: PageInfo!
  }
  type InventoryLevel {
    id: ID!
    updatedAt: DateTime!
    location: Location!
    quantities(names: [String!]!): [InventoryQuantity!]!
  }
  type Location {
    id: ID!
    name: String!
  }
  type InventoryQuantity {
    name: String!
    quantity: Int!
  }
`;
