//! What there is in a bucket.

use bytes::Bytes;
use http::Method;
use serde::Deserialize;

use crate::client::{At, Call, decoded, encoded};
use crate::{Address, BucketError, Client, Object};

/// What is to be listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The bucket.
    pub bucket: String,
    /// What all keys begin with.
    pub prefix: String,
    /// Keys up to this one are left out.
    pub start_after: Option<String>,
    /// Whether what lies in folders below is left out, and the folders are told instead.
    pub is_flat: bool,
}

impl Listing {
    /// What to call it in messages.
    fn told(&self) -> String {
        Address { bucket: self.bucket.clone(), key: self.prefix.clone() }.to_string()
    }
}

/// A part of what there is.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Objects, in the order of their keys.
    pub objects: Vec<Object>,
    /// Folders, each with its slash at the end; only if those were asked for.
    pub folders: Vec<String>,
    /// Where the next page begins, if there is one.
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    #[serde(default)]
    contents: Vec<Contents>,
    #[serde(default)]
    common_prefixes: Vec<CommonPrefix>,
    #[serde(default)]
    encoding_type: Option<String>,
    #[serde(default)]
    is_truncated: Option<String>,
    #[serde(default)]
    next_continuation_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Contents {
    key: String,
    size: u64,
    last_modified: String,
    #[serde(rename = "ETag", default)]
    e_tag: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CommonPrefix {
    prefix: String,
}

/// Objects on a page, at most.
const PAGE_MAX: usize = 1_000;

impl Client {
    /// Lists, and gives page after page, until `take` says that it is enough.
    pub fn list(&self, listing: &Listing, take: &mut dyn FnMut(Page) -> bool) -> Result<(), BucketError> {
        let mut token = None;
        loop {
            let mut page = self.wait(self.page(listing, token.as_deref(), PAGE_MAX))?;
            let next = page.next.take();
            if !take(page) || next.is_none() {
                return Ok(());
            }
            if next == token {
                let what = listing.told();
                return Err(BucketError::Answer { what, detail: "it begins again and again".to_owned() });
            }
            token = next;
        }
    }

    /// The object of this key, if there is one. Asks for no more than leave to list.
    pub fn find(&self, address: &Address) -> Result<Option<Object>, BucketError> {
        let Address { bucket, key } = address.clone();
        let listing = Listing { bucket, prefix: key, ..Listing::default() };
        // Of all that begins with it, it is the first.
        let page = self.wait(self.page(&listing, None, 1))?;
        Ok(page.objects.into_iter().next().filter(|it| it.key() == address.key))
    }

    async fn page(&self, listing: &Listing, token: Option<&str>, max: usize) -> Result<Page, BucketError> {
        let mut path = "/?list-type=2&encoding-type=url".to_owned();
        if let Some(token) = token {
            path += &format!("&continuation-token={}", encoded(token, b""));
        }
        if listing.is_flat {
            path += "&delimiter=%2F";
        }
        path += &format!("&max-keys={max}");
        if !listing.prefix.is_empty() {
            path += &format!("&prefix={}", encoded(&listing.prefix, b""));
        }
        if let Some(after) = listing.start_after.as_ref().filter(|_| token.is_none()) {
            path += &format!("&start-after={}", encoded(after, b""));
        }
        let what = listing.told();
        let at = At::Bucket(&listing.bucket);
        let text = self
            .text(&Call { method: Method::GET, at, path, headers: &[], body: Bytes::new(), what: &what })
            .await?;
        let wrong = |detail: String| BucketError::Answer { what: what.clone(), detail };
        // A page of something else would be an empty bucket.
        if !text.contains("<ListBucketResult") || !text.contains("<IsTruncated>") {
            return Err(wrong("it is no listing".to_owned()));
        }
        let listed: Listed = quick_xml::de::from_str(&text).map_err(|it| wrong(it.to_string()))?;
        let is_encoded = listed.encoding_type.as_deref() == Some("url");
        let key = |text: String| {
            // Some encode a space as `+`, and a plus sign is encoded by all.
            if is_encoded {
                decoded(&text, true).ok_or_else(|| wrong("a key is no UTF-8".to_owned()))
            } else {
                Ok(text)
            }
        };
        let mut page = Page::default();
        for it in listed.contents {
            let modified = it.last_modified.parse::<jiff::Timestamp>();
            let modified = modified.map_err(|_| wrong(format!("`{}` is no time", it.last_modified)))?;
            let address = Address { bucket: listing.bucket.clone(), key: key(it.key)? };
            let e_tag = it.e_tag.filter(|it| !it.is_empty());
            page.objects.push(Object::new(
                self.clone(),
                &address,
                it.size,
                modified.as_second() * 1_000,
                e_tag,
            ));
        }
        for it in listed.common_prefixes {
            page.folders.push(key(it.prefix)?);
        }
        if listed.is_truncated.as_deref() == Some("true") {
            // Else a part of it would be taken for all.
            let next = listed.next_continuation_token.filter(|it| !it.is_empty());
            page.next =
                Some(next.ok_or_else(|| wrong("there is more, and it does not say where".to_owned()))?);
        }
        Ok(page)
    }
}
