// The normal form of dims: polynomials whose quotients are simplified as far as
// whole-number division allows, and comparisons on it.
#include "compiler/check/Types.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace gradus::typed {

namespace {

/// A symbolic image after dozens of convolutions is far simpler.
constexpr size_t mostComplex = 20000, mostTerms = 1000;

// Sizes are far from overflow in any program that can run; saturation keeps
// absurd input well defined.
int64_t multiply(int64_t a, int64_t b) {
  int64_t product;
  if (__builtin_mul_overflow(a, b, &product))
    return (a < 0) == (b < 0) ? std::numeric_limits<int64_t>::max()
                              : std::numeric_limits<int64_t>::min() + 1;
  return product;
}

int64_t add(int64_t a, int64_t b) {
  int64_t sum;
  if (__builtin_add_overflow(a, b, &sum))
    return a > 0 ? std::numeric_limits<int64_t>::max()
                 : std::numeric_limits<int64_t>::min() + 1;
  return sum;
}

int64_t floorDivision(int64_t a, int64_t b) {
  if (b == 0)
    return 0;
  int64_t quotient = b == -1 ? multiply(a, b) : a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

int64_t floorRemainder(int64_t a, int64_t b) {
  return b == 0 ? a : add(a, multiply(-b, floorDivision(a, b)));
}

} // namespace

Dim::Dim(int64_t constant) {
  if (constant != 0)
    sum.push_back({constant, {}});
}

Dim::Dim(const Symbol &symbol) { sum.push_back({1, {{&symbol, nullptr}}}); }

int Dim::compare(const Atom &a, const Atom &b) {
  if (a.symbol || b.symbol) {
    if (!a.symbol || !b.symbol)
      return a.symbol ? -1 : 1;
    return a.symbol->id < b.symbol->id ? -1 : a.symbol->id > b.symbol->id;
  }
  bool aRest = a.quotient->kind == Quotient::Remainder;
  bool bRest = b.quotient->kind == Quotient::Remainder;
  if (aRest != bRest)
    return aRest ? 1 : -1;
  if (int order = compare(a.quotient->left, b.quotient->left))
    return order;
  return compare(a.quotient->right, b.quotient->right);
}

// A term that continues another one comes first, so the constant is last.
int Dim::compare(const Term &a, const Term &b) {
  size_t common = std::min(a.atoms.size(), b.atoms.size());
  for (size_t i = 0; i < common; ++i)
    if (int order = compare(a.atoms[i], b.atoms[i]))
      return order;
  return a.atoms.size() > b.atoms.size() ? -1 : a.atoms.size() < b.atoms.size();
}

int Dim::compare(const Dim &a, const Dim &b) {
  size_t common = std::min(a.sum.size(), b.sum.size());
  for (size_t i = 0; i < common; ++i) {
    if (int order = compare(a.sum[i], b.sum[i]))
      return order;
    if (a.sum[i].coefficient != b.sum[i].coefficient)
      return a.sum[i].coefficient < b.sum[i].coefficient ? -1 : 1;
  }
  return a.sum.size() < b.sum.size() ? -1 : a.sum.size() > b.sum.size();
}

size_t Dim::complexity() const {
  size_t total = 0;
  for (const Term &term : sum) {
    total += 1 + term.atoms.size();
    for (const Atom &atom : term.atoms)
      total += atom.quotient ? atom.quotient->complexity : 0;
  }
  return total;
}

Dim Dim::normalised(std::vector<Term> terms) {
  for (Term &term : terms)
    std::sort(term.atoms.begin(), term.atoms.end(),
              [](const Atom &a, const Atom &b) { return compare(a, b) < 0; });
  std::sort(terms.begin(), terms.end(),
            [](const Term &a, const Term &b) { return compare(a, b) < 0; });
  Dim result;
  for (Term &term : terms) {
    if (!result.sum.empty() && compare(result.sum.back(), term) == 0)
      result.sum.back().coefficient =
          add(result.sum.back().coefficient, term.coefficient);
    else
      result.sum.push_back(std::move(term));
  }
  std::erase_if(result.sum,
                [](const Term &term) { return term.coefficient == 0; });
  if (result.complexity() > mostComplex)
    throw DimTooComplex();
  return result;
}

Dim operator+(const Dim &a, const Dim &b) {
  std::vector<Dim::Term> terms = a.sum;
  terms.insert(terms.end(), b.sum.begin(), b.sum.end());
  return Dim::normalised(std::move(terms));
}

Dim operator-(const Dim &a, const Dim &b) { return a + Dim(-1) * b; }

Dim operator*(const Dim &a, const Dim &b) {
  if (a.sum.size() * b.sum.size() > mostTerms)
    throw DimTooComplex();
  std::vector<Dim::Term> terms;
  for (const Dim::Term &left : a.sum)
    for (const Dim::Term &right : b.sum) {
      Dim::Term product = {multiply(left.coefficient, right.coefficient),
                           left.atoms};
      product.atoms.insert(product.atoms.end(), right.atoms.begin(),
                           right.atoms.end());
      terms.push_back(std::move(product));
    }
  return Dim::normalised(std::move(terms));
}

// this == multiple * divisor + rest, with as much in `multiple` as a divisor of
// one term allows. A constant rest lies in [0, divisor).
bool Dim::splitByDivisor(const Dim &divisor, Dim &multiple, Dim &rest) const {
  if (divisor.sum.size() != 1 || divisor.sum.front().coefficient < 0)
    return false;
  const Term &by = divisor.sum.front();
  std::vector<Term> whole, left;
  for (const Term &term : sum) {
    std::vector<Atom> atoms;
    std::set_difference(
        term.atoms.begin(), term.atoms.end(), by.atoms.begin(), by.atoms.end(),
        std::back_inserter(atoms),
        [](const Atom &a, const Atom &b) { return compare(a, b) < 0; });
    if (atoms.size() + by.atoms.size() != term.atoms.size()) {
      left.push_back(term);
      continue;
    }
    int64_t quotient = term.atoms.empty()
                           ? floorDivision(term.coefficient, by.coefficient)
                           : term.coefficient / by.coefficient;
    int64_t remainder =
        add(term.coefficient, multiply(-quotient, by.coefficient));
    if (quotient != 0)
      whole.push_back({quotient, std::move(atoms)});
    if (remainder != 0)
      left.push_back({remainder, term.atoms});
  }
  multiple = normalised(std::move(whole));
  rest = normalised(std::move(left));
  return true;
}

template <typename Kind>
Dim Dim::unsimplified(Kind kind, const Dim &left, const Dim &right) {
  auto quotient = std::make_shared<Quotient>(
      Quotient{kind, left, right, left.complexity() + right.complexity()});
  if (quotient->complexity > mostComplex)
    throw DimTooComplex();
  Dim result;
  result.sum.push_back({1, {{nullptr, std::move(quotient)}}});
  return result;
}

Dim Dim::divide(const Dim &a, const Dim &b, bool isExact) {
  Dim multiple, rest = a;
  if (a == b)
    return Dim(1);
  a.splitByDivisor(b, multiple, rest);
  if (rest.sum.empty())
    return multiple;
  bool isConstant = rest.sum.size() == 1 && rest.sum[0].atoms.empty();
  bool byConstant = b.sum.size() == 1 && b.sum[0].atoms.empty();
  if (isConstant && byConstant)
    return multiple +
           Dim(floorDivision(rest.sum[0].coefficient, b.sum[0].coefficient));
  // (x // m) // n == x // (m * n) for positive numbers m and n.
  if (byConstant && b.sum[0].coefficient > 0 && rest.sum.size() == 1 &&
      rest.sum[0].coefficient == 1 && rest.sum[0].atoms.size() == 1) {
    const auto &inner = rest.sum[0].atoms[0].quotient;
    if (inner && inner->kind != Quotient::Remainder &&
        inner->right.sum.size() == 1 && inner->right.sum[0].atoms.empty() &&
        inner->right.sum[0].coefficient > 0)
      return multiple + divide(inner->left, inner->right * b, isExact);
  }
  return multiple +
         unsimplified(isExact ? Quotient::Exact : Quotient::Floor, rest, b);
}

Dim Dim::floorDivide(const Dim &a, const Dim &b) { return divide(a, b, false); }
Dim Dim::exactDivide(const Dim &a, const Dim &b) { return divide(a, b, true); }

Dim Dim::remainder(const Dim &a, const Dim &b) {
  Dim multiple, rest = a;
  if (a == b)
    return Dim();
  a.splitByDivisor(b, multiple, rest);
  if (rest.sum.empty())
    return Dim();
  if (rest.sum.size() == 1 && rest.sum[0].atoms.empty() && b.sum.size() == 1 &&
      b.sum[0].atoms.empty())
    return Dim(floorRemainder(rest.sum[0].coefficient, b.sum[0].coefficient));
  return unsimplified(Quotient::Remainder, rest, b);
}

bool Dim::operator==(const Dim &other) const {
  return compare(*this, other) == 0;
}

template <typename Leaf> Dim Dim::rebuilt(const Leaf &leaf) const {
  Dim result;
  for (const Term &term : sum) {
    Dim product(term.coefficient);
    for (const Atom &atom : term.atoms) {
      if (atom.symbol) {
        product = product * leaf(*atom.symbol);
        continue;
      }
      Dim left = atom.quotient->left.rebuilt(leaf);
      Dim right = atom.quotient->right.rebuilt(leaf);
      product =
          product *
          (atom.quotient->kind == Quotient::Remainder
               ? remainder(left, right)
               : divide(left, right, atom.quotient->kind == Quotient::Exact));
    }
    result = result + product;
  }
  return result;
}

Dim Dim::expanded() const {
  return rebuilt([](const Symbol &symbol) {
    return symbol.kind == Symbol::Declared ? Dim(symbol.value) : Dim(symbol);
  });
}

Dim Dim::substitute(const Substitution &substitution) const {
  return rebuilt([&](const Symbol &symbol) {
    auto found = substitution.dims.find(&symbol);
    return found == substitution.dims.end() ? Dim(symbol) : found->second;
  });
}

int64_t Dim::evaluate(const DimEnvironment &environment) const {
  int64_t result = 0;
  for (const Term &term : sum) {
    int64_t product = term.coefficient;
    for (const Atom &atom : term.atoms) {
      if (atom.symbol) {
        product = multiply(product, atom.symbol->kind == Symbol::Declared
                                        ? atom.symbol->value
                                        : environment.dims.at(atom.symbol));
        continue;
      }
      int64_t left = atom.quotient->left.evaluate(environment);
      int64_t right = atom.quotient->right.evaluate(environment);
      product = multiply(product, atom.quotient->kind == Quotient::Remainder
                                      ? floorRemainder(left, right)
                                      : floorDivision(left, right));
    }
    result = add(result, product);
  }
  return result;
}

std::optional<int64_t> Dim::constant() const {
  Dim value = expanded();
  if (value.sum.empty())
    return 0;
  if (value.sum.size() == 1 && value.sum[0].atoms.empty())
    return value.sum[0].coefficient;
  return std::nullopt;
}

const Symbol *Dim::symbol() const {
  if (sum.size() != 1 || sum[0].coefficient != 1 || sum[0].atoms.size() != 1)
    return nullptr;
  return sum[0].atoms[0].symbol;
}

std::vector<const Symbol *> Dim::symbols() const {
  std::vector<const Symbol *> found;
  for (const Term &term : sum)
    for (const Atom &atom : term.atoms) {
      if (atom.symbol) {
        found.push_back(atom.symbol);
        continue;
      }
      for (const Dim *part : {&atom.quotient->left, &atom.quotient->right}) {
        auto inner = part->symbols();
        found.insert(found.end(), inner.begin(), inner.end());
      }
    }
  std::sort(found.begin(), found.end(),
            [](auto *a, auto *b) { return a->id < b->id; });
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

bool Dim::mentions(const Symbol *symbol) const {
  auto all = symbols();
  return std::find(all.begin(), all.end(), symbol) != all.end();
}

bool Dim::hasDivision() const {
  for (const Term &term : sum)
    for (const Atom &atom : term.atoms)
      if (atom.quotient)
        return true;
  return false;
}

bool Dim::hasCounter() const {
  return std::ranges::any_of(symbols(), [](const Symbol *symbol) {
    return symbol->kind == Symbol::Counter;
  });
}

Dim Dim::leastOverLoops() const {
  Dim result = *this;
  // The interval of an inner counter may depend on outer ones, which are older.
  for (unsigned before = std::numeric_limits<unsigned>::max();;) {
    const Symbol *counter = nullptr;
    for (const Symbol *symbol : result.symbols())
      if (symbol->kind == Symbol::Counter && symbol->id < before)
        counter = symbol;
    if (!counter)
      return result;
    before = counter->id;
    // result == slope * counter + rest?
    Dim slope, rest;
    bool isLinear = true;
    for (const Term &term : result.sum) {
      Term factor = {term.coefficient, {}};
      unsigned power = 0;
      for (const Atom &atom : term.atoms) {
        isLinear &= !atom.quotient || (!atom.quotient->left.mentions(counter) &&
                                       !atom.quotient->right.mentions(counter));
        if (atom.symbol == counter)
          ++power;
        else
          factor.atoms.push_back(atom);
      }
      isLinear &= power <= 1;
      Dim &part = power ? slope : rest;
      part = part + normalised({std::move(factor)});
    }
    auto rises = slope.lowerBound(), falls = (-slope).lowerBound();
    if (isLinear && rises && *rises >= 0)
      result = slope * counter->interval->first + rest;
    else if (isLinear && falls && *falls >= 0)
      result = slope * (counter->interval->end - Dim(1)) + rest;
  }
}

std::optional<int64_t> Dim::lowerBound() const {
  int64_t bound = 0;
  for (const Term &term : sum) {
    int64_t least = 1;
    std::optional<int64_t> most = 1;
    for (const Atom &atom : term.atoms) {
      if (atom.symbol && atom.symbol->kind == Symbol::Whole)
        return std::nullopt;
      if (atom.symbol && atom.symbol->kind == Symbol::Counter) {
        auto first = atom.symbol->interval->first.lowerBound();
        if (!first || *first < 0)
          return std::nullopt;
        least = multiply(least, *first);
        most = std::nullopt;
        continue;
      }
      if (atom.symbol) {
        bool isKnown = atom.symbol->kind == Symbol::Declared;
        least = multiply(least, isKnown ? atom.symbol->value : 1);
        most = isKnown && most
                   ? std::optional(multiply(*most, atom.symbol->value))
                   : std::nullopt;
        continue;
      }
      auto left = atom.quotient->left.lowerBound();
      auto right = atom.quotient->right.lowerBound();
      auto divisor = atom.quotient->right.constant();
      if (!right || *right < 1)
        return std::nullopt;
      if (atom.quotient->kind == Quotient::Remainder) {
        least = 0;
        most = divisor && most ? std::optional(multiply(*most, *divisor - 1))
                               : std::nullopt;
        continue;
      }
      if (!left || *left < 0)
        return std::nullopt;
      least = multiply(least, divisor ? floorDivision(*left, *divisor) : 0);
      most = std::nullopt;
    }
    if (term.coefficient > 0)
      bound = add(bound, multiply(term.coefficient, least));
    else if (most)
      bound = add(bound, multiply(term.coefficient, *most));
    else
      return std::nullopt;
  }
  return bound;
}

std::string Dim::str() const {
  if (sum.empty())
    return "0";
  // What is subtracted stands behind what is added.
  std::vector<const Term *> order;
  for (bool isNegative : {false, true})
    for (const Term &term : sum)
      if ((term.coefficient < 0) == isNegative)
        order.push_back(&term);
  std::string text;
  for (const Term *term : order) {
    int64_t size = std::abs(term->coefficient);
    if (text.empty())
      text += term->coefficient < 0 ? "-" : "";
    else
      text += term->coefficient < 0 ? " - " : " + ";
    bool isFirst = true;
    if (size != 1 || term->atoms.empty()) {
      text += fmt::format("{}", size);
      isFirst = false;
    }
    for (const Atom &atom : term->atoms) {
      text += isFirst ? "" : " * ";
      if (atom.symbol) {
        text += atom.symbol->name;
      } else {
        const Quotient &quotient = *atom.quotient;
        const Dim &left = quotient.left, &right = quotient.right;
        bool isLeftSum = left.sum.size() > 1;
        bool isRightAtom = right.symbol() || (right.sum.size() == 1 &&
                                              right.sum[0].atoms.empty());
        const char *sign = quotient.kind == Quotient::Floor   ? "//"
                           : quotient.kind == Quotient::Exact ? "/"
                                                              : "%";
        text +=
            fmt::format("{}{} {} {}{}", isFirst ? "" : "(",
                        isLeftSum ? "(" + left.str() + ")" : left.str(), sign,
                        isRightAtom ? right.str() : "(" + right.str() + ")",
                        isFirst ? "" : ")");
      }
      isFirst = false;
    }
  }
  return text;
}

const char *str(Relation relation) {
  switch (relation) {
  case Relation::Equal:
    return "==";
  case Relation::NotEqual:
    return "!=";
  case Relation::Less:
    return "<";
  case Relation::LessEqual:
    return "<=";
  case Relation::Greater:
    return ">";
  case Relation::GreaterEqual:
    return ">=";
  }
  return "";
}

bool holds(int64_t left, Relation relation, int64_t right) {
  switch (relation) {
  case Relation::Equal:
    return left == right;
  case Relation::NotEqual:
    return left != right;
  case Relation::Less:
    return left < right;
  case Relation::LessEqual:
    return left <= right;
  case Relation::Greater:
    return left > right;
  case Relation::GreaterEqual:
    return left >= right;
  }
  return false;
}

Verdict compareEqual(const Dim &a, const Dim &b) {
  Dim difference = (a - b).expanded();
  if (auto constant = difference.constant())
    return *constant == 0 ? Verdict::Proved : Verdict::Refuted;
  return difference.hasDivision() ? Verdict::Deferred : Verdict::Refuted;
}

static Verdict compareAtLeastZero(const Dim &anyRound) {
  Dim difference = anyRound.leastOverLoops();
  auto least = difference.lowerBound();
  if (least && *least >= 0)
    return Verdict::Proved;
  auto opposite = (Dim(-1) - difference).lowerBound();
  return opposite && *opposite >= 0 ? Verdict::Refuted : Verdict::Deferred;
}

Verdict compare(const Dim &left, Relation relation, const Dim &right) {
  Dim difference = (right - left).expanded();
  switch (relation) {
  case Relation::Equal:
    return compareEqual(left, right);
  case Relation::NotEqual:
    if (auto constant = difference.constant())
      return *constant != 0 ? Verdict::Proved : Verdict::Refuted;
    return Verdict::Deferred;
  case Relation::Less:
    return compareAtLeastZero(difference - Dim(1));
  case Relation::LessEqual:
    return compareAtLeastZero(difference);
  case Relation::Greater:
    return compareAtLeastZero(-difference - Dim(1));
  case Relation::GreaterEqual:
    return compareAtLeastZero(-difference);
  }
  return Verdict::Deferred;
}

} // namespace gradus::typed
