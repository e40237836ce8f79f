// Which name a misspelt one most likely means.
#include "compiler/check/Scope.h"

#include <gtest/gtest.h>

using namespace gradus::typed;

TEST(ScopeTest, EditDistanceCountsSwapsOnce) {
  EXPECT_EQ(editDistance("", ""), 0u);
  EXPECT_EQ(editDistance("adam", ""), 4u);
  EXPECT_EQ(editDistance("adam", "adam"), 0u);
  EXPECT_EQ(editDistance("adma", "adam"), 1u);
  EXPECT_EQ(editDistance("sofmax", "softmax"), 1u);
  EXPECT_EQ(editDistance("kitten", "sitting"), 3u);
}

TEST(ScopeTest, NearestKnowsTyposInitialsAndBeginnings) {
  EXPECT_EQ(nearest("epcohs", {"epochs", "steps"}), "epochs");
  EXPECT_EQ(nearest("learning_rate", {"lr", "beta1", "eps"}), "lr");
  EXPECT_EQ(nearest("lr", {"learning_rate"}), "learning_rate");
  EXPECT_EQ(nearest("epsilon", {"lr", "eps"}), "eps");
  EXPECT_EQ(nearest("w", {"b", "W"}), "W");
  EXPECT_EQ(nearest("banana", {"lr", "beta1", "eps"}), "");
  EXPECT_EQ(nearest("a", {"b"}), "");
  EXPECT_EQ(nearest("xs", {"x"}), "");
  // No one writes such a name by mistake.
  EXPECT_EQ(nearest(std::string(70, 'x'), {std::string(70, 'y')}), "");
}
